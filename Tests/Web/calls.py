"""Channel events of calls, as Asterisk writes them."""

import json

from service import TENANT, quoted, sql

TABLE = """
    CREATE TABLE IF NOT EXISTS cel (
      id serial PRIMARY KEY, eventtype text NOT NULL, eventtime timestamptz NOT NULL, userdeftype text NOT NULL DEFAULT '',
      cid_name text NOT NULL DEFAULT '', cid_num text NOT NULL DEFAULT '', exten text NOT NULL DEFAULT '',
      context text NOT NULL DEFAULT '', channame text NOT NULL DEFAULT '', appname text NOT NULL DEFAULT '',
      uniqueid text NOT NULL, linkedid text NOT NULL, peer text NOT NULL DEFAULT '', extra text);
    CREATE INDEX IF NOT EXISTS cel_linkedid ON cel (linkedid);
    CREATE INDEX IF NOT EXISTS cel_uniqueid ON cel (uniqueid);
"""


class Call:
    """A call that is told step by step. Times are seconds after its start."""

    def __init__(self, number, start="2026-03-13 09:00:00Z"):
        self.number, self.start, self.rows = number, start, []
        self.linkedid = f"17.{number}"
        self.answered = None
        self.end = 0
        self.channels = {}

    def channel(self, key, name, number, device=None):
        order = len(self.channels)
        uniqueid = self.linkedid if order == 0 else f"{self.linkedid}{order:03}"
        self.channels[key] = (name, number, f"{device or 'PJSIP/' + number}-{order:08x}", uniqueid)

    def event(self, kind, at, key, exten="", app="", **extra):
        name, number, device, uniqueid = self.channels[key]
        data = json.dumps(extra) if extra else None
        self.rows.append((kind, at, name, number, exten, device, app, uniqueid, data))
        self.end = max(self.end, at)

    def dial(self, at, key, exten, app="Dial"):
        self.event("CHAN_START", at, key, exten)
        self.event("APP_START", at + 0.1, key, exten, app)

    def ring(self, at, *keys):
        for key in keys:
            self.event("CHAN_START", at, key, "s")

    def talk(self, at, a, b, bridge="b1"):
        for key in (b, a):
            self.event("ANSWER", at, key)
            self.event("BRIDGE_ENTER", at, key, bridge_id=bridge, bridge_technology="simple_bridge")
        self.answered = self.answered or at

    def leave(self, at, *keys, bridge="b1"):
        for key in keys:
            self.event("BRIDGE_EXIT", at, key, bridge_id=bridge, bridge_technology="simple_bridge")

    def hold(self, begin, end, key):
        self.event("STREAM_BEGIN", begin, key, **{"class": "default"})
        self.event("STREAM_END", end, key)

    def hang_up(self, at, *keys, cause=16):
        for key in keys:
            self.event("HANGUP", at, key, hangupcause=cause)
            self.event("CHAN_END", at, key)

    def store(self, caller, callee, direction="internal"):
        """Adds the events and the call log."""
        first = next(iter(self.channels))
        self.event("LINKEDID_END", self.end, first)

        def moment(at):
            return "NULL" if at is None else f"timestamptz '{self.start}' + interval '{at} s'"

        values = ", ".join(
            f"({quoted(kind)}, {moment(at)}, {', '.join(map(quoted, (name, number, exten, device, app, uniqueid)))}, "
            f"{quoted(self.linkedid)}, {quoted(data)})"
            for kind, at, name, number, exten, device, app, uniqueid, data in self.rows
        )
        parties = ", ".join(quoted(part) for part in (*caller, *callee))
        sql(
            f"""
            INSERT INTO cel (eventtype, eventtime, cid_name, cid_num, exten, channame, appname, uniqueid, linkedid, extra)
            VALUES {values};
            INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten,
              destination_name, destination_exten, direction, conversation_id)
            VALUES ({self.number}, {moment(0)}, {moment(self.answered)}, {moment(self.end)}, '{TENANT}', {parties}, '{direction}',
              '{self.linkedid}');
            """
        )


def short_call(number, name="Ann Lee"):
    call = Call(number)
    call.channel("a", name, "101")
    call.channel("b", "David Kim", "201")
    call.dial(0, "a", "201")
    call.ring(0.4, "b")
    call.talk(6.2, "a", "b")
    call.leave(48, "b", "a")
    call.hang_up(48, "b", "a")
    call.store((name, "101"), ("David Kim", "201"))


def transferred_call(number):
    """From outside to the reception, which asks a colleague, connects the two, and a blind transfer follows."""
    call = Call(number, "2026-03-13 10:15:20Z")
    call.channel("t", "", "+33145678901", "PJSIP/trunk1")
    call.channel("r", "Reception", "100")
    call.channel("c", "Reception", "100")
    call.channel("d", "Chloé Dubois", "104")
    call.channel("e", "Bob Martin", "105")
    call.event("CHAN_START", 0, "t", "5145553000")
    call.event("XIVO_INCALL", 0.1, "t", "5145553000", extra=TENANT)
    call.event("APP_START", 0.2, "t", "5145553000", "Dial")
    call.ring(0.5, "r")
    call.talk(9, "t", "r")
    call.hold(34, 71, "t")
    call.event("CHAN_START", 36, "c", "104")
    call.event("APP_START", 36.1, "c", "104", "Dial")
    call.ring(36.5, "d")
    call.talk(44, "c", "d", "b2")
    call.event(
        "ATTENDEDTRANSFER", 71, "r", transferee_channel_uniqueid=call.channels["t"][3],
        transfer_target_channel_uniqueid=call.channels["d"][3])
    call.leave(71, "r")
    call.leave(71, "c", "d", bridge="b2")
    call.hang_up(71, "r", "c")
    call.event("BRIDGE_ENTER", 71, "d", bridge_id="b1", bridge_technology="simple_bridge")
    call.event("BLINDTRANSFER", 118, "d", extension="105", transferee_channel_uniqueid=call.channels["t"][3])
    call.leave(118, "d", "t")
    call.hang_up(118, "d")
    call.event("APP_START", 118.2, "t", "105", "Dial")
    call.ring(118.6, "e")
    call.talk(126, "t", "e", "b3")
    call.leave(191, "e", "t", bridge="b3")
    call.hang_up(191, "e", "t")
    call.store(("", "+33145678901"), ("Bob Martin", "105"), "inbound")


def queue_call(number, agents=40):
    call = Call(number, "2026-03-13 11:58:40Z")
    call.channel("t", "Marie Tremblay", "+15145550199", "PJSIP/trunk1")
    for agent in range(agents):
        call.channel(agent, f"Agent {agent + 1}", str(301 + agent))
    call.event("CHAN_START", 0, "t", "700")
    call.event("XIVO_INCALL", 0.5, "t", "700", extra=TENANT)
    call.event("APP_START", 1, "t", "700", "Playback")
    call.event("STREAM_BEGIN", 1, "t", sound="welcome")
    call.event("STREAM_END", 9, "t")
    call.event("APP_START", 9, "t", "700", "Queue")
    for turn, begin in enumerate(range(12, 130, 30)):
        rung = [agent for agent in range(agents) if agent % 4 == turn]
        call.ring(begin, *rung)
        if turn < 3:
            call.hang_up(begin + 20, *rung, cause=19)
        else:
            call.hang_up(begin + 8, *rung[1:], cause=26)
            call.talk(begin + 8, "t", rung[0])
    call.hold(150, 190, "t")
    call.leave(300, 3, "t")
    call.hang_up(300, 3, "t")
    call.store(("Marie Tremblay", "+15145550199"), ("Agent 4", "304"), "inbound")


def purged_call(number):
    """Its channel events are in the archive."""
    short_call(number)
    sql(
        f"""
        DELETE FROM cel WHERE linkedid = '17.{number}';
        INSERT INTO call_logd_archive (kind, month, part, folder, files, system, database, run_id, deletes, state)
        VALUES ('cel', '2026-03', 1, '/archive', '{{}}', 1, 1, 1, true, 'published');
        """
    )
