(function(){'use strict';
var page=document;page.documentElement.classList.add('live');
page.addEventListener('click',function(event){
  var button=event.target.closest('[data-copy]');if(!button)return;
  function done(){button.textContent='Copied';setTimeout(function(){button.textContent='Copy'},1600)}
  function select(){var range=page.createRange(),chosen=getSelection();range.selectNodeContents(button.previousElementSibling);chosen.removeAllRanges();chosen.addRange(range)}
  if(navigator.clipboard)navigator.clipboard.writeText(button.dataset.copy).then(done,select);else select()});
var find=page.getElementById('find');if(find){
  var events=Array.prototype.slice.call(page.querySelectorAll('.log>li')),none=page.getElementById('none');
  find.addEventListener('input',function(){
    var wanted=find.value.trim().toLowerCase(),shown=0;
    if(wanted)page.getElementById('everything').checked=true;
    events.forEach(function(one){one.hidden=wanted!==''&&one.textContent.toLowerCase().indexOf(wanted)<0;if(!one.hidden)shown+=1});
    none.hidden=shown>0});
  find.form.addEventListener('submit',function(event){event.preventDefault()})}
})();
