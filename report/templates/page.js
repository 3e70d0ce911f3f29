(function(){'use strict';
var page=document;page.documentElement.classList.add('live');
page.addEventListener('click',function(event){
  var button=event.target.closest('[data-copy]');if(!button)return;
  function done(){button.textContent='Copied';setTimeout(function(){button.textContent='Copy'},1600)}
  function select(){var range=page.createRange(),chosen=getSelection();range.selectNodeContents(button.previousElementSibling);chosen.removeAllRanges();chosen.addRange(range)}
  if(navigator.clipboard)navigator.clipboard.writeText(button.dataset.copy).then(done,select);else select()});
var isWaiting=false;
page.addEventListener('submit',function(event){
  var button=event.target.querySelector('.go'),said=event.target.querySelector('[role=status]');if(!button||!said)return;
  if(isWaiting){event.preventDefault();return}
  var seconds=page.createElement('span'),since=Date.now();isWaiting=true;
  seconds.setAttribute('aria-hidden','true');said.textContent='Waiting for the answer of the run';said.append(seconds);
  setInterval(function(){seconds.textContent=', '+Math.round((Date.now()-since)/1000)+' s'},1000)});
var follow=Number(page.body.dataset.follow);
if(follow)setInterval(function(){
  var typed=Array.prototype.some.call(page.querySelectorAll('input[type=text],input[type=search]'),function(one){return one.value||one===page.activeElement});
  if(!isWaiting&&!typed&&!page.hidden&&!page.querySelector('.log details[open]'))location.reload()},follow*1000);
var find=page.getElementById('find');if(find){
  var events=Array.prototype.slice.call(page.querySelectorAll('.log>li')),none=page.getElementById('none');
  find.addEventListener('input',function(){
    var wanted=find.value.trim().toLowerCase(),shown=0;
    if(wanted)page.getElementById('everything').checked=true;
    events.forEach(function(one){one.hidden=wanted!==''&&one.textContent.toLowerCase().indexOf(wanted)<0;if(!one.hidden)shown+=1});
    none.hidden=shown>0});
  find.form.addEventListener('submit',function(event){event.preventDefault()})}
})();
