"""What a technician asks after wiring an alarm: whether it sounds, and whether a message arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.episode import Severity
from domain.errors import OperatorError
from edge.alarms.modem import Modem
from edge.alarms.outputs import SomeOutput, open_output
from edge.alarms.patterns import phase
from edge.alarms.settings import SmsSettings
from edge.settings import EdgeSettings

TRIED = (Severity.WARNING, Severity.CRITICAL)


async def try_alarms(
    settings: EdgeSettings, *, sms: bool, seconds: float, say: Callable[[str], None], modem: Modem | None = None
) -> bool:
    """Drive every output as for a warning and for a critical alarm, and send a message; return whether all worked.

    Raises ``OperatorError`` without ``local_alarms``, and where a library is missing.
    """
    alarms = settings.local_alarms
    if alarms is None:
        raise OperatorError("the node's file has no local_alarms: there is nothing to try")
    worked = [await _try_output(each, seconds, say) for each in alarms.outputs]
    if sms and alarms.sms is None:
        raise OperatorError("the node's file has no local_alarms.sms: there is no modem to try")
    if sms and alarms.sms is not None:
        sender = modem or Modem(alarms.sms.port, alarms.sms.baud)
        worked += await _try_modem(
            sender, alarms.sms, f"TEST {alarms.place}: alarms of {settings.node} reach you.", say
        )
    return all(worked)


async def _try_output(settings: SomeOutput, seconds: float, say: Callable[[str], None]) -> bool:
    name = f"{settings.output} {settings.device.value}"
    try:
        output = open_output(settings)
        try:
            for severity in TRIED:
                say(f"{name}: {severity.label} for {seconds:g} s")
                await _play(output.switch, settings.pattern(severity), seconds)
        finally:
            output.close()
    except OSError as error:
        say(f"{name}: does not work: {error}; is the agent still running?")
        return False
    return True


async def _play(switch: Callable[..., None], pattern: tuple[float, ...], seconds: float) -> None:
    elapsed_s = 0.0
    while elapsed_s < seconds:
        stands = phase(pattern, elapsed_s)
        switch(on=stands.on)
        lasts_s = min(seconds - elapsed_s, stands.lasts_s or seconds)
        await asyncio.sleep(lasts_s)
        elapsed_s += lasts_s


async def _try_modem(modem: Modem, settings: SmsSettings, text: str, say: Callable[[str], None]) -> list[bool]:
    worked = []
    for number in settings.numbers:
        sent = await modem.send(number, text)
        worked.append(sent.trouble is None)
        say(f"SMS to {number}: " + ("sent" if sent.trouble is None else f"{sent.trouble.value} ({sent.detail})"))
    return worked
