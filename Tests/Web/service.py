"""The service on a database of its own, for tests in a browser.

Runs below `private-server`, which gives a PostgreSQL by libpq's variables.
"""

import itertools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import wave

PROGRAMS = pathlib.Path(os.environ["PROGRAMS"])
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"


numbers = itertools.count(1)
# Of the service that was started last.
database = None


def sql(text):
    subprocess.run(
        ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, text=True, check=True, stdout=subprocess.DEVNULL
    )


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def add_call(number, start, caller, callee, direction="internal", answer=None, end=None, blocked=False, voicemail=False, tag=None):
    """Adds a call log. Times are SQL; caller and callee are names with numbers."""
    values = ", ".join(quoted(part) for part in (*caller, *callee))
    sql(
        f"""
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten,
          destination_name, destination_exten, direction, blocked, reached_voicemail, conversation_id)
        VALUES ({number}, {start}, {answer or 'NULL'}, {end or start}, '{TENANT}', {values}, '{direction}', {blocked}, {voicemail}, '17.{number}');
        """
        + (
            f"""
            INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, role, tags)
            VALUES (gen_random_uuid(), {number}, gen_random_uuid(), 'source', ARRAY[{quoted(tag)}]);
            """
            if tag
            else ""
        )
    )


class Service:
    """wazo-call-logd with 130 call logs of March 2026, of which the newest are listed first.

    With a wazo-auth it asks that; without, it has a file of tokens and makes `token`. More settings
    are lines of YAML. Empty, it has no call logs at all.
    """

    def __init__(self, wazo_auth=None, settings="", empty=False):
        global database
        database = f"web{next(numbers)}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="web-"))
        self.recordings = self.folder / "recordings"
        self.recordings.mkdir()
        subprocess.run(["createdb", database], check=True)
        uri = f"postgresql:///{database}?host={os.environ['PGHOST']}&port={os.environ.get('PGPORT', '5432')}&user={os.environ['PGUSER']}"
        (self.folder / "config.yml").write_text(
            f"""
db_uri: '{uri}'
default_tenant: {TENANT}
{self.authentication(wazo_auth)}
recordings_dir: {self.recordings}
exports:
  directory: {self.folder}/exports
rest_api:
  listen: 127.0.0.1
  port: 0
service:
  management_listen: 127.0.0.1
  management_port: 0
{settings}
"""
        )
        (self.folder / "empty.yml").touch()
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "WAZO_CALL_LOGS_"))
        } | {"WAZO_CALL_LOGS_CONFIG": str(self.folder / "config.yml")}
        self.run("migrate")
        self.token = None if wazo_auth else self.make_token("web", "--all-tenants")
        if not empty:
            self.fill()
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            [PROGRAMS / "wazo-call-logd", "-c", self.folder / "empty.yml"], env=self.environment, stderr=self.log
        )
        self.url = self.listening()

    def authentication(self, wazo_auth):
        if wazo_auth is None:
            return f"authentication: tokens\ntokens_file: {self.folder}/tokens"
        address = f"host: 127.0.0.1, port: {wazo_auth.port}, https: false, prefix: null, cache_seconds: 0"
        return f"authentication: wazo\nauth: {{{address}, username: service, password: service}}"

    def make_token(self, name, *rights):
        return self.run("token", "create", "--name", name, *rights, "--file", f"{self.folder}/tokens").strip()

    def run(self, *arguments):
        done = subprocess.run(
            [PROGRAMS / "wazo-call-logs", *arguments], env=self.environment, text=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"wazo-call-logs {arguments[0]}: {done.stderr}")
        return done.stdout

    def listening(self):
        for _ in range(600):
            text = (self.folder / "log").read_text()
            if found := re.search(r"listening at (http://[^/]+)", text):
                return found[1] + "/"
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("the service does not listen:\n" + (self.folder / "log").read_text())

    def fill(self):
        sql(f"INSERT INTO call_logd_tenant VALUES ('{TENANT}') ON CONFLICT DO NOTHING;")
        sql(
            f"""
            INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten,
              destination_name, destination_exten, direction, conversation_id, blocked, reached_voicemail)
            SELECT n, t, CASE WHEN n % 3 > 0 THEN t + interval '7 s' END, t + n % 50 * interval '61 s' + interval '8 s', '{TENANT}',
              (ARRAY['Ann Lee', 'Bob Martin', 'Chloé Dubois', NULL])[n % 4 + 1],
              CASE n % 5 WHEN 0 THEN '+33145678901' ELSE (100 + n % 9)::text END,
              (ARRAY['Reception', 'David Kim', 'Eva Novák'])[n % 3 + 1], (200 + n % 7)::text,
              (ARRAY['internal', 'inbound', 'outbound'])[n % 3 + 1], '17.' || n, n % 26 = 0, n % 6 = 0
            FROM generate_series(1, 130) n, LATERAL (SELECT timestamptz '2026-03-01 08:00Z' + n * interval '97 min' AS t) t;
            INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, role, tags)
            SELECT gen_random_uuid(), n, gen_random_uuid(), 'source', CASE WHEN n % 2 = 0 THEN '{{sales}}' ELSE '{{support,vip}}' END::varchar[]
            FROM generate_series(1, 130, 5) n;
            """
        )
        add_call(201, "'2026-03-12 09:00Z'", (HOSTILE, "666"), ("\"><script>document.title='hacked'</script>", "201"), "inbound", tag=HOSTILE)
        add_call(202, "'2026-03-12 10:00Z'", ("مكتب الاستقبال", "+966501234567"), ("A very long name of a caller, which somebody typed " * 3, "204"), "inbound")
        add_call(203, "'2026-03-12 11:00Z'", ("Ann Lee", "101"), ("David Kim", "201"), answer="'2026-03-12 11:00:05Z'", end="'2026-03-12 11:02:10Z'", tag="sales")
        audio = self.recordings / "203.wav"
        with wave.open(str(audio), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"".join((6000 if n // 20 % 2 else -6000).to_bytes(2, "little", signed=True) for n in range(16000)))
        sql(
            f"""
            INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
            VALUES ('bbbbbbbb-0000-4000-8000-000000000001', '2026-03-12 11:00:05Z', '2026-03-12 11:00:07Z', '{audio}', 203);
            """
        )

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)
