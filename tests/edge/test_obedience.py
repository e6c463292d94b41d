"""An agent that is told things: what it does beside measuring and publishing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from domain.command import Command, CommandName, Outcome, Reply
from domain.topics import DownLane, down
from edge.agent import build_agent
from edge.commands.config_keeper import ConfigKeeper
from edge.commands.memory import CommandMemory
from edge.commands.obedience import Ending, Obedience
from edge.settings import EdgeSettings
from tests.edge.clocks import START_MS, JumpingClock

KEY = "0123456789abcdef0123456789abcdef"


class Told:
    """An agent with its obedience, and how it was asked to end."""

    def __init__(self, folder: Path, *, history: str | None = "7d") -> None:
        clock = JumpingClock()
        settings = EdgeSettings.model_validate(
            {
                "node": "n1",
                "broker": "mqtt://127.0.0.1:1",
                "outbox": folder / "outbox.db",
                "command_key": KEY,
                "commands": {"history": history},
                "drivers": [{"driver": "health", "channels": {"cpu": "cpu_temperature"}, "sys": folder}],
            }
        )
        self.agent = build_agent(settings, clock)
        self.endings: list[Ending] = []
        self.memory = CommandMemory(folder / "commands.json")
        self.obedience = Obedience(
            self.agent,
            memory=self.memory,
            configurations=ConfigKeeper(folder / "config.json", self.memory, clock),
            assemble=lambda remote: settings,
            ask=self.endings.append,
            clock=clock,
        )
        self.obedience.join()

    async def reply(self, name: str, **arguments: object) -> Reply:
        """Give it a command of the service's, and return the reply."""
        topic = down("n1", DownLane.COMMAND)
        command = Command(name, name, {key.rstrip("_"): each for key, each in arguments.items()}, START_MS + 1000)
        await self.obedience.desk._deal(DownLane.COMMAND, command.encode(topic=topic, key=KEY))
        text = self.memory.waiting()
        assert text is not None
        self.memory.sent(text)
        return Reply.decode(text.encode())


async def test_a_node_with_outputs_is_seen_or_heard(tmp_path: Path) -> None:
    """Every output is asked; one that fails keeps no other from being heard."""
    told = Told(tmp_path)
    heard: asyncio.Queue[float] = asyncio.Queue()

    async def broken(seconds: float) -> None:
        raise OSError("no such line")

    told.agent.signals += [broken, heard.put]
    reply = await told.reply(CommandName.IDENTIFY, seconds=7)
    assert (reply.outcome, await heard.get()) == (Outcome.DONE, 7)
    assert "7 s" in reply.detail


async def test_a_restart_is_asked_for_after_it_was_written_down(tmp_path: Path) -> None:
    """The process may end at once: the reply is on the disk."""
    told = Told(tmp_path)
    await told.reply(CommandName.RESTART)
    assert told.endings == [Ending.RESTART]


async def test_what_is_read_out_of_turn_is_kept(tmp_path: Path) -> None:
    """The readings are on their way like any others, and counted in the reply."""
    told = Told(tmp_path)
    (tmp_path / "class/thermal/thermal_zone0").mkdir(parents=True)
    (tmp_path / "class/thermal/thermal_zone0/temp").write_text("40000\n")
    running = asyncio.create_task(told.agent.run())
    reply = await told.reply(CommandName.SAMPLE_NOW)
    async with asyncio.timeout(20):
        while told.agent.outbox.depth() == 0:  # noqa: ASYNC110 - a test may look again and again
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert reply.detail == "1 readings, 1 with a value"


async def test_a_node_without_history_says_so(tmp_path: Path) -> None:
    """Confirmed readings that are not kept cannot be sent again."""
    reply = await Told(tmp_path, history=None).reply(
        CommandName.RESEND, from_="2025-11-20T00:00:00Z", to="2025-11-21T00:00:00Z"
    )
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, "gone")


def test_the_nodes_own_health_makes_no_configuration_good(tmp_path: Path) -> None:
    """A CPU temperature comes whatever is configured: it does not prove that the sensors work."""
    told = Told(tmp_path)
    assert not told.obedience._health().is_well
    assert told.obedience._not_sensors == {"cpu"}
