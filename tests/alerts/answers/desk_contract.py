"""What the desk must do on every database; a subclass in a test file gives the ``database`` fixture."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.facts import Power
from alerts.notifiers.notifier import IncomingText
from alerts.tables import CLOSINGS
from domain.alert import AlertState
from domain.gsm7 import septets
from tests.alerts.answers.people_desk import AMINAS, FATUMAS, an_office
from tests.alerts.given import MINUTE, NOON, an_episode, ended, opened


class DeskContract:
    """The behaviour of ``AnswerDesk``, the same on every database."""

    async def test_one_takes_the_alarm(self, database: AsyncEngine) -> None:
        """A bare 1 takes what the person was told of last; the reply says what, where and its number."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        assert await office.hear("1") == "Noted, you go: Kasese HC3 fridge 2: Fridge too warm 9.4C. ref 1."
        alert = await office.alert(1)
        assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "Amina")
        assert (await office.judge.store.audit(1))[-1].origin == f"sms {AMINAS}"
        assert [change.alert.id for change in office.published] == [1]
        (kept,) = await office.inbox()
        assert (kept.contact, kept.meaning, kept.alerts) == ("amina", "going", (1,))

    async def test_the_same_text_again_changes_nothing(self, database: AsyncEngine) -> None:
        """A gateway that repeats a text, with its number for it or without, gets no second reply."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        for reference in ("modem-7", ""):
            assert await office.hear("1", reference=reference)
            before = (await office.alert(1), await office.inbox(), await office.judge.store.audit(1))
            assert await office.hear("1", reference=reference) == ""
            assert (await office.alert(1), await office.inbox(), await office.judge.store.audit(1)) == before

    async def test_a_repetition_in_the_next_minute_is_one(self, database: AsyncEngine) -> None:
        """Where a channel numbers nothing, a text and its repetition may fall on both sides of a full minute."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        office.now = NOON + timedelta(minutes=40, seconds=59)
        assert await office.hear("2")
        office.now += timedelta(seconds=2)
        assert await office.hear("2") == ""

    async def test_two_desks_that_get_one_text_act_once(self, database: AsyncEngine) -> None:
        """Whichever of two processes is later finds it kept."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        text = IncomingText("sms", AMINAS, "1", "modem-8")
        await asyncio.gather(*(office.desk().hear(text) for _ in range(4)))
        assert len(await office.replies()) == 1

    async def test_nothing_stays_of_an_answer_whose_reply_cannot_be_queued(self, database: AsyncEngine) -> None:
        """Text, action and reply commit together or not at all, so that the gateway may repeat it."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        queue, office.actions.reply = office.actions.reply, _fail  # type: ignore[method-assign]  # the database goes away there
        raised = await asyncio.gather(office.hear("1"), return_exceptions=True)
        assert isinstance(raised[0], OSError)
        assert (await office.alert(1)).state is AlertState.UNACKNOWLEDGED
        assert await office.inbox() == []
        assert office.published == []
        office.actions.reply = queue  # type: ignore[method-assign]  # and comes back
        assert (await office.hear("1")).startswith("Noted, you go")

    async def test_a_second_person_hears_who_has_it(self, database: AsyncEngine) -> None:
        """The name and since when, in the facility's time."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        await office.hear("1")
        office.now += 5 * MINUTE
        assert "Amina" in await office.hear("1", sender=FATUMAS)
        assert "Amina has it since 15:40" in await office.hear("1", sender="4711", channel="telegram")
        assert (await office.hear("1 1 1")).startswith("You have it already")

    async def test_two_calls_for_help(self, database: AsyncEngine) -> None:
        """The reply names who is told now; when nobody is left it says so; the alert stays open."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        assert (await office.hear("2")).startswith("Help is called, Joseph told now: Kasese HC3 fridge 2")
        office.now += 5 * MINUTE
        assert (await office.hear("2")).startswith("Nobody else can be asked now")
        assert (await office.alert(1)).state is AlertState.UNACKNOWLEDGED

    async def test_nine_while_it_goes_on_takes_it(self, database: AsyncEngine) -> None:
        """It is not closed; the reply gives the value and says that the end will be told."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        reply = await office.hear("9 ref 1 door closed")
        assert "still goes on" in reply
        assert "9.4C" in reply
        assert (await office.alert(1)).state is AlertState.ACKNOWLEDGED

    async def test_nine_after_the_end_closes_with_what_was_done(self, database: AsyncEngine) -> None:
        """The note and the doses are kept; a second time nothing changes."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        await office.hear("1")
        await office.judge.record(ended(an_episode()))
        office.now += 20 * MINUTE
        assert (await office.hear("9 compressor replaced, 12 doses lost")).startswith("Now closed, thank you")
        async with database.connect() as connection:
            (row,) = (await connection.execute(select(CLOSINGS))).all()
        assert (row.note, row.doses_affected) == ("compressor replaced, 12 doses lost", 12)
        assert (await office.hear("9 again")).startswith("It was closed before")

    async def test_without_a_number_the_newest_is_meant(self, database: AsyncEngine) -> None:
        """What else is open is named, so that nobody believes to have taken all."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode(0)), opened(an_episode(1)), opened(an_episode(2)))
        reply = await office.hear("1")
        assert reply.endswith("ref 3. 2 more open: ref 2, 1.")
        assert (await office.alert(2)).state is AlertState.UNACKNOWLEDGED

    async def test_several_numbers_at_once(self, database: AsyncEngine) -> None:
        """Every alert that is named is taken, the reply lists them."""
        office = await an_office(database)
        await office.judge.record(*(opened(an_episode(number)) for number in range(4)))
        reply = await office.hear("1 3 4 77")
        assert "+1. ref 3, 4." in reply
        assert "No alarm has ref 77." in reply
        assert [(await office.alert(number)).acknowledged_by for number in (1, 2, 3, 4)] == ["", "", "Amina", "Amina"]

    async def test_somebody_elses_alert(self, database: AsyncEngine) -> None:
        """Who neither was told nor answers for the place cannot take it."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode(facility="lonely")))
        assert "not yours" in await office.hear("1 ref 1")
        assert (await office.alert(1)).state is AlertState.UNACKNOWLEDGED

    async def test_nothing_is_open(self, database: AsyncEngine) -> None:
        """An answer to nothing says so."""
        office = await an_office(database)
        assert (await office.hear("1")).startswith("Nothing is open for you")
        assert (await office.hear("status")) == "Nothing is open for you."

    async def test_status_lists_the_worst_first(self, database: AsyncEngine) -> None:
        """Up to three lines in one SMS, with how long, who has it and the power."""
        office = await an_office(database)
        office.power = Power(False)
        await office.judge.record(opened(an_episode(0)), opened(an_episode(1)))
        office.now = NOON + 90 * MINUTE
        await office.hear("1 ref 1")
        lines = (await office.hear("STATUS")).splitlines()
        assert lines[0] == "Open: 2"
        assert lines[1] == "1 Kasese HC3 fridge 2: 9.4C, 1h 30min (Amina) Power OFF"

    async def test_unclear_texts_say_how_to_answer_with_an_open_number(self, database: AsyncEngine) -> None:
        """What is not understood changes nothing."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        reply = await office.hear("fridge is on the way")
        assert reply.startswith("Not understood, nothing was changed. Reply 1=I go 2=need help 9=done")
        assert reply.endswith("for example: 1 ref 1")
        assert (await office.alert(1)).state is AlertState.UNACKNOWLEDGED

    async def test_stop_names_whom_to_ask(self, database: AsyncEngine) -> None:
        """No message stops alarms."""
        office = await an_office(database, ask="Dr Okello 0700 111222")
        assert "Please ask Dr Okello 0700 111222." in await office.hear("STOP")

    async def test_strangers_are_answered_twice_a_day_and_never_obeyed(self, database: AsyncEngine) -> None:
        """Everything that they write is kept."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        replies = [await office.hear("1", sender="+256799999999", reference=f"s{number}") for number in range(4)]
        assert [bool(reply) for reply in replies] == [True, True, False, False]
        assert (await office.alert(1)).state is AlertState.UNACKNOWLEDGED
        assert [kept.meaning for kept in await office.inbox()] == ["stranger"] * 4
        office.now += timedelta(days=1, seconds=1)
        assert await office.hear("1", sender="+256799999999", reference="s9")

    async def test_machines_are_not_answered(self, database: AsyncEngine) -> None:
        """Names and short codes belong to services, not to people."""
        office = await an_office(database)
        for sender in ("MTN-Promo", "12345", "", "Airtel 123456789"):
            assert await office.hear("1", sender=sender) == ""

    async def test_our_own_words_are_not_answered(self, database: AsyncEngine) -> None:
        """A machine that sends back what it gets meets silence, and its echo changes nothing."""
        office = await an_office(database)
        reply = await office.hear("what?")
        assert await office.hear(f" {reply.upper()} ") == ""
        assert (await office.inbox())[0].meaning == "echo"

    async def test_an_endless_talker_is_obeyed_and_no_longer_answered(self, database: AsyncEngine) -> None:
        """After so many answers in an hour only what changes something is answered."""
        office = await an_office(database, answers_per_hour=3)
        await office.judge.record(opened(an_episode()))
        replies = [await office.hear(f"hm {number}") for number in range(5)]
        assert [bool(reply) for reply in replies] == [True, True, True, False, False]
        assert (await office.hear("1")).startswith("Noted, you go")
        office.now += timedelta(hours=1, seconds=1)
        assert await office.hear("hm")

    async def test_any_spelling_of_a_number_is_the_person(self, database: AsyncEngine) -> None:
        """A registry in the national form and a gateway in the international one mean one telephone."""
        office = await an_office(database)
        for number, sender in enumerate(("+256700000009", "00256700000009", "256700000009", "0700000009", "700000009")):
            await office.hear("status", sender=sender, reference=f"f{number}")
        assert {kept.contact for kept in await office.inbox()} == {"fatuma"}

    async def test_a_channel_that_is_not_configured_is_kept_and_not_answered(self, database: AsyncEngine) -> None:
        """There is no way back to its sender."""
        office = await an_office(database)
        assert await office.hear("1", channel="pigeon") == ""
        assert len(await office.inbox()) == 1

    async def test_a_digit_pressed_in_a_call_is_obeyed_and_not_called_back(self, database: AsyncEngine) -> None:
        """Channels that disturb carry no replies."""
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        assert await office.hear("1", channel="voice") == ""
        assert (await office.alert(1)).acknowledged_by == "Amina"

    async def test_texts_that_no_database_takes_are_kept_all_the_same(self, database: AsyncEngine) -> None:
        """NUL and halves of characters are left out or replaced."""
        office = await an_office(database)
        await office.hear("1\0 \ud800")
        assert (await office.inbox())[0].text == "1 ?"

    async def test_old_texts_are_forgotten(self, database: AsyncEngine) -> None:
        """What is older than the setting goes, the rest stays."""
        office = await an_office(database, keep_days=10)
        await office.hear("old")
        office.now += timedelta(days=6)
        await office.hear("new")
        office.now += timedelta(days=5)
        assert await office.desk().forget() == 1
        assert [kept.text for kept in await office.inbox()] == ["new"]

    async def test_replies_fit_one_part(self, database: AsyncEngine) -> None:
        """Whatever is open, a reply by SMS costs one part."""
        office = await an_office(database)
        await office.judge.record(*(opened(an_episode(number)) for number in range(12)))
        for text in ("status", "1", "1 1 2 3 4 5 6 99 98 97", "?", "huh", "stop", "9 ref 7 8 9", "2"):
            assert 0 < (septets(await office.hear(text)) or 999) <= 160


async def _fail(*_: object, **__: object) -> None:
    raise OSError("the disk is full")
