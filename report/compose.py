"""Composes the picture, and its first sentence. Pure: the same sources make the same picture."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from report.attention import attention_of, last_runs, plans_of, steps_of
from report.budgets import budgets_of
from report.events import events_of
from report.holdings import held_groups, lanes_of
from report.picture import (
    Attention,
    BudgetPicture,
    Cause,
    HeldGroup,
    Picture,
    Plan,
    RungState,
    SavingsPicture,
    Span,
    Tone,
)
from report.saved import savings_of
from report.sources import Sources
from report.words import counted, money, rounded, text_words
from shared.settings import Mode

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def picture_of(sources: Sources) -> Picture:
    """The picture of a month. Of one that is over it shows what was, and nothing of what is now."""
    is_past = sources.now >= sources.month.end
    budgets = tuple(sorted(budgets_of(sources), key=_share, reverse=True))
    attention = () if is_past else tuple(attention_of(sources))
    held = () if is_past else tuple(held_groups(sources))
    planned = () if is_past else tuple(plans_of(sources))
    savings = tuple(savings_of(sources))
    return Picture(
        project=sources.project,
        mode=sources.mode,
        at=sources.now,
        start=sources.month.start,
        end=sources.month.end,
        time_zone=sources.zone.key,
        sentence=(
            *_spent(sources, budgets),
            *(() if is_past else _observed(planned) if sources.mode is Mode.OBSERVE else _held(sources, held, budgets)),
            *_saved(savings),
            *(() if is_past else _needed(attention)),
        ),
        budgets=budgets,
        lanes=lanes_of(sources),
        attention=attention,
        upcoming=() if is_past else steps_of(sources),
        held=held,
        planned=planned,
        savings=savings,
        events=events_of(sources),
        last_runs=tuple(last_runs(sources)),
        notes=tuple(text_words(note, sources.zone) for note in sources.notes),
    )


def _share(budget: BudgetPicture) -> float:
    return budget.cost / budget.amount if budget.cost is not None and budget.amount else -1.0


def _saved(savings: tuple[SavingsPicture, ...]) -> Iterator[Span]:
    for one in savings:
        if one.total >= 1:
            yield Span(money(one.total, one.currency), Tone.STRONG)
            yield Span(" saved on GPUs. ")


def _needed(attention: tuple[Attention, ...]) -> Iterator[Span]:
    if attention:
        yield Span(f"{_number(len(attention))} {'needs' if len(attention) == 1 else 'need'} you.", Tone.ALERT)
    else:
        yield Span("Nothing needs you.")


def _spent(sources: Sources, budgets: tuple[BudgetPicture, ...]) -> Iterator[Span]:
    """The budget that is fullest; of the others how many are past their amounts."""
    month = f"{sources.month.start:%B}"
    known = [budget for budget in budgets if budget.cost is not None]
    if not known or known[0].cost is None:
        yield Span("No cost reported yet" if sources.spending else "No budget is watched")
        yield Span(f" in {month}. ")
        return
    first = known[0]
    tone = Tone.ALERT if first.is_over else Tone.STRONG
    yield Span(f"{money(first.cost or 0)} of {money(first.amount, first.currency)}", tone)
    yield Span(f" spent{_on(first, budgets)} in {month}")
    if first.expected is not None:
        yield Span(", heading for ")
        yield Span(f"about {money(rounded(first.expected))}", Tone.STRONG)
    yield Span(". ")
    others = [budget for budget in known[1:] if budget.is_over]
    if others:
        yield Span(f"{_number(len(others))} more over budget. ", Tone.ALERT)


def _on(budget: BudgetPicture, budgets: tuple[BudgetPicture, ...]) -> str:
    return f" on {budget.key}" if len(budgets) > 1 else ""


def _is_undone(budgets: Iterable[BudgetPicture]) -> bool:
    rungs = (rung for budget in budgets for rung in budget.rungs)
    return any(rung.state is RungState.LET_GO and rung.actions != ("notify",) for rung in rungs)


def _held(sources: Sources, held: tuple[HeldGroup, ...], budgets: tuple[BudgetPicture, ...]) -> Iterator[Span]:
    by_budget = [group for group in held if group.cause is Cause.BUDGET]
    count = sum(len(group.items) for group in by_budget)
    if count:
        since = min(group.since for group in by_budget).astimezone(sources.zone)
        is_recent = sources.now - since < timedelta(days=6)
        yield Span(f"{_number(count)} {'thing' if count == 1 else 'things'}", Tone.STRONG)
        yield Span(f" held since {since:%A}. " if is_recent else f" held since {since:%-d %B}. ")
    else:
        routine = sum(len(group.items) for group in held)
        at_rest = f"; {counted(routine, 'pool')} at rest" if routine else ""
        yield Span(f"{'The cap was undone' if _is_undone(budgets) else 'Nothing is capped'}{at_rest}. ")


def _observed(planned: tuple[Plan, ...]) -> Iterator[Span]:
    yield Span("Only observing: ")
    if planned:
        yield Span(f"{_number(len(planned)).lower()} {'change' if len(planned) == 1 else 'changes'}", Tone.STRONG)
        yield Span(" would be made now. ")
    else:
        yield Span("nothing would be changed now. ")


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
