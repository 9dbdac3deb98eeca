# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""An independent reader of frames: cbor2 for CBOR, a CRC-32C of its own, and the
schema in messages.cddl. Shares nothing with the library.

  codec_peer.py MESSAGES.CDDL PEER STREAMS.TXT
                                         tests the codec through the program codec-peer:
                                         schema == table of fields, schema == decoder;
                                         and reads the sound recordings among the vectors
  codec_peer.py MESSAGES.CDDL --recording FILE
                                         checks a recording and counts its messages
"""

import collections
import io
import random
import subprocess
import sys

import cddl

try:
    import cbor2
except ImportError:
    print("SKIP: no module cbor2 for %s (Debian: apt install python3-cbor2)" % sys.executable)
    sys.exit(77)

HEAD_SIZE = 19
PAYLOAD_MAX = 1 << 20


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def crc_table_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


CRC_TABLE = [crc_table_entry(i) for i in range(256)]


def read_frames(data):
    """Yields (seq, payload) of a CBOR Sequence of frames. Each byte must belong to one."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        start = stream.tell()
        # cbor2 takes the tag 55799 off by itself
        seq, crc, payload = cbor2.CBORDecoder(stream).decode()
        frame = bytearray(data[start:stream.tell()])
        assert frame[:5] == b"\xd9\xd9\xf7\x83\x1a", frame[:5].hex()
        assert len(frame) == HEAD_SIZE + len(payload), "a head of fixed width"
        assert len(payload) <= PAYLOAD_MAX
        frame[10:14] = bytes(4)
        assert crc32c(frame) == crc, "frame at %d: crc" % start
        yield seq, payload


def read_message(payload):
    stream = io.BytesIO(payload)
    message = cbor2.CBORDecoder(stream).decode()
    assert stream.tell() == len(payload), "bytes after the message"
    assert cbor2.dumps(message, canonical=True) == payload, "deterministic encoding"
    return message


def check_recording(schema, data):
    """The messages' kinds with their counts; every message is valid and known."""
    kinds = collections.Counter()
    for seq, payload in read_frames(data):
        message = read_message(payload)
        assert schema.matches("message", message), "seq %d: %r" % (seq, message)
        names = [name.name for name in schema.rules["message"].types
                 if name.matches(schema, message)]
        assert len(names) == 1, names
        kinds[names[0]] += 1
    return kinds


# -- the schema against the table that drives our encoder and decoder --

def describe(schema, type_):
    """(type, min, max) in the words of `codec-peer fields`."""
    node = schema.resolve(type_)
    if isinstance(node, cddl.Range):
        return "int" if node.low < 0 else "uint", node.low, node.high
    if isinstance(node, cddl.Size):
        return "bytes", node.low, node.high
    if node is cddl.PRELUDE["bstr"]:
        return "bytes", 0, 2**32 - 1
    if node is schema.rules["text"]:
        return "text", 0, 2**32 - 1
    if isinstance(node, cddl.Array) and schema.resolve(node.type) is schema.rules["text"]:
        return "strv", 0, 2**32 - 1
    raise AssertionError("no field has this type")


def rows_of_schema(schema):
    rows = set()
    for choice in schema.rules["message"].types:
        if choice.name == "future-kind":
            continue
        members = list(schema.rules[choice.name].flat(schema))
        kind, time, *own, wildcard = members
        number = kind.type
        assert kind.key == 0 and number.low == number.high, choice.name
        assert time.key == 1 and time.type.name == "time-ns", choice.name
        assert isinstance(wildcard, tuple), "%s: no room for keys to come" % choice.name
        rows.add(("kind", choice.name, number.low, "known"))
        for key, member in enumerate(own, 2):
            assert member.key == key, "%s: key %d is out of order" % (choice.name, member.key)
            rows.add(("field", choice.name, key, member.name) +
                     describe(schema, member.type)[:1] +
                     ("optional" if member.optional else "needed",) +
                     describe(schema, member.type)[1:])
    return rows


def rows_of_table(peer):
    rows = set()
    for line in subprocess.run([peer, "fields"], check=True, stdout=subprocess.PIPE,
                               text=True).stdout.splitlines():
        rows.add(tuple(int(word) if word.lstrip("-").isdigit() else word
                       for word in line.split()))
    return rows


def test_schema_is_the_table(schema, peer):
    table = rows_of_table(peer)
    known = {row for row in table if row[-1] != "reserved"}
    reserved = {row[2] for row in table if row[-1] == "reserved"}
    ours = rows_of_schema(schema)
    assert ours == known, "only in the schema: %s; only in the code: %s" % (
        sorted(ours - known, key=str), sorted(known - ours, key=str))
    numbers = {row[2] for row in known if row[0] == "kind"}
    future = next(schema.rules["future-kind"].flat(schema)).type
    for number in list(range(1000)) + [2**32 - 1]:
        assert future.matches(schema, number) == (number != 0 and number not in numbers), number
    assert not future.matches(schema, 2**32)
    assert reserved == set()
    return "%d kinds, %d fields" % (len(numbers), len(known) - len(numbers))


# -- frames of our encoder, read by cbor2 --

NONCE = b"0123456789abcdef"
# What tests/unit/codec_samples.c sets by hand, under the names of the schema.
TYPICAL = {
    "hello": dict(time=2100000000, protocol=1, nonce=NONCE, release="7.2.12-cloud-amd64",
                  cpus_online=2, slowness_permille=3500, carrier="window"),
    "phase": dict(time=2100000001, phase=3),
    "scheduler-started": dict(time=2200000000, pid=77, enable_seq=3),
    "scheduler-attached": dict(time=2700000000, ops="fifo", enable_seq_before=3, enable_seq=4,
                               wall_ns=400000000, cpu_ns=150000000, switch_all=1),
    "scheduler-died": dict(time=2300000000, code=4, reason="R1 invalid mem access 'scalar'",
                           exit_status=1, signal=0, error=0),
    "scheduler-not-attached": dict(
        time=37000000000, code=11, exit_status=-1, signal=9, error=2,
        reason="cause=timeout state=disabled ops=missing enable_seq=3->3 "
               "wall_ms=35000 cpu_ms=12"),
    "payload-starting": dict(time=2900000000),
    "dispatch": dict(time=2950000000, ok=0, cpus_online=9, cpus_ok=b"\xfe\x01",
                     wall_ns=50000000, reason="CPU 0 made no progress", mode=2, tasks=18,
                     tasks_ok=17, rounds=3400),
    "scheduler-exit": dict(time=3000000000, exit_kind=1026, exit_code=-110, code=23, phase=5,
                           reason="runnable task stall",
                           message="sh[80] failed to run for 30.1s", source=1,
                           backtrace="check_rq_for_timeouts+0x12c/0x160\n",
                           phase_ns=2970000000),
    "payload-exit": dict(time=3100000000, exit_status=-1, signal=15, error=13,
                         wall_ns=200000000, ended_by=1, left_some=1,
                         reason='cannot execute "/x"'),
    "program": dict(time=2240000000, name=b"fifo_enq\x1b[\xff", order=3, from_probe=0x17ff,
                    from_info=0x800, type=27, prog_id=41, error=13, verified_insns=512,
                    processed_insns=511, total_states=30, peak_states=29, max_states_per_insn=4,
                    stack_depth=48, xlated_bytes=1024, jited_bytes=700,
                    verification_ns=1234567),
    "log": dict(time=2250000000, stream=2, bytes=b"loading\n\xff\x1b[0m", dropped=4096),
    "kernel-log": dict(time=2260000000, level=6, log_seq=412, log_time_us=2260000,
                       bytes=b"sched_ext: BPF scheduler \"fifo\" enabled"),
    "done": dict(time=3200000000, enabled_at_end=1),
    "topology": dict(time=2110000000, cpus_possible=4, nodes=1,
                     cpus=bytes.fromhex("0000 0000 0000 0000 0000 0000"
                                        "0001 0000 0000 0000 0000 0001")),
    "heartbeat": dict(time=3000000001),
    "init-failed": dict(time=1900000000, signal=11, reason="init crashed at 0x401234"),
    "cell": dict(time=17, protocol=1, nonce=NONCE, version="0.1.0", kernel="/boot/vmlinuz",
                 release="7.2.12-cloud-amd64", scheduler=["/usr/bin/fifo", b"\x80\x81\x82"],
                 payload=["/bin/true"], machine="qemu", accel="tcg", carrier="serial",
                 topology="2", cpus=2, memory_bytes=1 << 30, settle_ms=100,
                 budget_cpu_ms=35000, budget_wall_ms=120000, payload_ms=60000,
                 log_limit=4194304, dispatch=1, started_unix_ns=1795435200000000000,
                 dispatch_ms=5000, machine_reason="kvm: it stops at \u201cshlx\u201d",
                 verifier_stats=1, verifier_log=4, id="7.2/fifo/2",
                 digest=0xfedcba9876543210),
    "end-cause": dict(time=9000000000, cause=1, code=12,
                      detail="Kernel panic - not syncing: \u201cboom\u201d",
                      console_tail=b"---[ end", console_bytes=9000, wall_ns=8000000000,
                      machine_cpu_ns=7500000000, stats_valid=127, exits=251, exits_io=201,
                      exits_mmio=31, exits_hlt=1, exits_shutdown=2, exits_intr=9,
                      exits_other=7, first_instruction_ns=8100000, start_cpu_ns=7900000,
                      init_ns=2400000000, verdict_ns=3100000000,
                      ram_resident_bytes=111149056, overhead_bytes=1519616,
                      sandbox="seccomp"),
}


def by_name(schema, message):
    """(kind's name, {field's name: value})"""
    for choice in schema.rules["message"].types:
        if choice.matches(schema, message) and choice.name != "future-kind":
            _kind, _time, *own, _wildcard = schema.rules[choice.name].flat(schema)
            fields = {member.name: message[member.key] for member in own}
            return choice.name, dict(fields, time=message[1])
    raise AssertionError("no known kind: %r" % message)


def test_our_frames_are_read(schema, peer):
    data = subprocess.run([peer, "recording"], check=True, stdout=subprocess.PIPE).stdout
    kinds = check_recording(schema, data)
    want = {choice.name for choice in schema.rules["message"].types} - {"future-kind"}
    assert set(kinds) == want == set(TYPICAL), kinds
    assert set(kinds.values()) == {4}, kinds
    for at, (seq, payload) in enumerate(read_frames(data)):
        assert seq == at
        if at < len(TYPICAL):
            name, fields = by_name(schema, read_message(payload))
            assert fields == TYPICAL[name], (name, fields)
    return "%d frames, %d bytes" % (sum(kinds.values()), len(data))


HOST_SEQ_BASE = 0x80000000
SOUND_RECORDINGS = {"passed", "died", "not-attached", "panic", "silent", "ejected"}


def test_recordings_are_read(schema, streams):
    """cell, the guest's frames numbered from 0, end-cause."""
    seen = set()
    with open(streams, encoding="utf-8") as file:
        for name, _expectation, data in (line.split() for line in file if line[0] != "#"):
            if name.removeprefix("recording-") not in SOUND_RECORDINGS:
                continue
            kinds = check_recording(schema, bytes.fromhex(data))
            frames = list(read_frames(bytes.fromhex(data)))
            cell, end = read_message(frames[0][1]), read_message(frames[-1][1])
            assert by_name(schema, cell)[0] == "cell" and kinds["cell"] == 1
            assert by_name(schema, end)[0] == "end-cause" and kinds["end-cause"] == 1
            assert [seq for seq, _ in frames] == \
                [HOST_SEQ_BASE, *range(len(frames) - 2), HOST_SEQ_BASE + 1], name
            seen.add(name.removeprefix("recording-"))
    assert seen == SOUND_RECORDINGS, seen
    return "%d recordings" % len(seen)


# -- the schema against our decoder --

# The ends of all the types' ranges, and one of each type of CBOR.
NUMBERS = sorted({n + d for n in (0, 1, 7, 64, 255, 4095, 2**31, 2**32, 2**63, 2**64 - 2)
                  for d in (-1, 0, 1)} | {-2**31, -2**63 + 1, -2**63, -2**63 - 1, -2**64})
OTHERS = [b"", b"0123456789abcdef", b"\xff" * 15, b"\xff" * 17, "", "text", "\u00e9" * 200, [],
          ["a", b"b", "c"], ["a", 1], [["a"]], [[[[1, {2: 3}]]]], {}, {1: 2}, {"a": [b"b"]},
          None, True, False, cbor2.undefined, 1.5, 1e300, float("inf"),
          cbor2.CBORTag(4711, "tagged"), 2**64]
KEYS = [22, 23, 24, 100, 255, 256, 65535, 65536, 2**32, 2**64 - 1]
NOT_KEYS = [-1, -2**64, "2", b"", None, 1.5]
ROUNDS_PER_KIND = 1500


def mutated(rng, message):
    message = dict(message)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        what = rng.randrange(8)
        value = rng.choice(NUMBERS + OTHERS)
        if what == 0 and message:
            del message[rng.choice(list(message))]
        elif what == 1:
            message[rng.choice(KEYS)] = value
        elif what == 2 and rng.randrange(4) == 0:
            message[rng.choice(NOT_KEYS)] = value
        elif what == 3 and rng.randrange(4) == 0:
            message[0] = rng.choice((0, 18, 19, 127, 130, 2**32 - 1, 2**32, -1, "log"))
        elif what > 3 and message:
            message[rng.choice(list(message))] = value
    return message


def test_schema_is_the_decoder(schema, peer):
    rng = random.Random(20260101)  # the same messages on each run
    data = subprocess.run([peer, "recording"], check=True, stdout=subprocess.PIPE).stdout
    messages = [read_message(payload) for _seq, payload in read_frames(data)][:len(TYPICAL)]
    candidates = [mutated(rng, message) for message in messages for _ in range(ROUNDS_PER_KIND)]
    lines = "".join(cbor2.dumps(each, canonical=True).hex() + "\n" for each in candidates)
    answers = subprocess.run([peer, "decode"], input=lines, check=True, stdout=subprocess.PIPE,
                             text=True).stdout.split()
    assert len(answers) == len(candidates)
    for message, answer in zip(candidates, answers):
        if not schema.matches("message", message):
            want = ("invalid",)
        elif schema.matches("future-kind", message):
            want = ("unknown-kind",)
        else:
            want = ("ok",)
        assert answer in want, "%r: decoder says %s, schema says %s" % (message, answer, want)
    counts = collections.Counter(answers)
    assert min(counts["ok"], counts["invalid"], counts["unknown-kind"]) > 100, counts
    return ", ".join("%s %d" % item for item in sorted(counts.items()))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = cddl.Schema(file.read())
    assert crc32c(b"123456789") == 0xE3069283
    if sys.argv[2] == "--recording":
        with open(sys.argv[3], "rb") as file:
            for name, count in sorted(check_recording(schema, file.read()).items()):
                print(name, count)
        return
    for test in (test_schema_is_the_table, test_our_frames_are_read, test_schema_is_the_decoder):
        print("%s: %s" % (test.__name__, test(schema, sys.argv[2])))
    print("test_recordings_are_read: %s" % test_recordings_are_read(schema, sys.argv[3]))


main()
