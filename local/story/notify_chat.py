"""The messages that the team got in Slack meanwhile."""

from collections.abc import Iterator

from local.story.player import Player

HOOK = "T0STORY/B0STORY/of0the0story"
SHOWN = ("Spending: ", "Held: api", "Needs you: ")
"""Of each sort one line is shown."""


def play(player: Player) -> None:
    """Show some of the messages, and check that each hold and restore was posted."""
    player.about("notify_chat")
    player.step("Meanwhile Slack got a message for each change of state, once.")
    posted = list(lines(player))
    for beginning in SHOWN:
        player.console.say("slack", next((line for line in posted if line.startswith(beginning)), "nothing"))
    held, restored = (sum(line.startswith(f"{word}: api:") for line in posted) for word in ("Held", "Restored"))
    player.check("api held and restored, as posted", lambda: f"{held} and {restored}", "2 and 2")


def lines(player: Player) -> Iterator[str]:
    """The first line of each section of all messages, without Slack's formatting."""
    for message in player.cloud.chat.messages(HOOK):
        blocks = message.get("blocks")
        for block in blocks if isinstance(blocks, list) else ():
            text = str(block.get("text", {}).get("text", ""))
            yield text.partition("\n")[0].replace("*", "").replace("&gt;", ">").replace("\u200b", "")
