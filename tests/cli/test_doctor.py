#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""doctor's JSON keeps to its schema, and says the same as the text, on machines that lack things."""
import json
import os
import pathlib
import re

import kit

try:
    import jsonschema
except ImportError:
    jsonschema = None


class Doctor(kit.Isolated):
    def setUp(self):
        super().setUp()
        if not jsonschema:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((kit.SOURCE / "lib/report/doctor.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def doctor(self, code, *args):
        """The document, and a dictionary of its checks, both held to the schema and the text."""
        done = self.attachverdict("doctor", "--format", "json", *args, env=self.env)
        text = self.attachverdict("doctor", *args, env=self.env)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        self.assertEqual((text.returncode, text.stderr), (code, ""), text.stdout)
        document = json.loads(done.stdout)
        self.validator.validate(document)
        self.assertEqual(document["usable"], code == kit.PASSED)
        self.assertEqual(document["machine"] is None, code != kit.PASSED)
        self.assertEqual([(one["level"], one["name"]) for one in document["checks"]],
                         re.findall(r"^(ok|warn|missing) +(\w+) ", text.stdout, re.MULTILINE))
        for check in document["checks"]:
            if check["remedy"]:
                self.assertIn(f"-> {check['remedy']}\n", text.stdout)
        self.assertIn("can run here", text.stdout)
        return document, {one["name"]: one for one in document["checks"]}

    def with_kernels(self):
        folder = pathlib.Path(os.environ["AVD_TEST_KERNELS"])
        path = kit.kernel()
        self.env["XDG_CACHE_HOME"] = str(folder.parents[1])
        return path

    def test_as_this_machine_is(self):
        self.with_kernels()
        document, checks = self.doctor(kit.PASSED)
        self.assertEqual(set(checks), {"cpu", "kvm", "qemu", "kernels", "kernel", "cache",
                                       "memory"})
        self.assertEqual(checks["cpu"]["facts"]["online"], os.sysconf("SC_NPROCESSORS_ONLN"))
        self.assertTrue(pathlib.Path(checks["kernel"]["facts"]["path"]).is_file())
        self.assertIn(checks["kernel"]["facts"]["release"], checks["kernel"]["text"])
        if document["machine"] == "qemu":
            self.assertEqual(checks["kvm"]["level"], "warn")
            self.assertEqual(checks["qemu"]["level"], "ok")

    def test_no_kernel(self):
        _, checks = self.doctor(kit.NOT_TRIED)
        self.assertEqual(checks["kernel"]["level"], "missing")
        self.assertIn("fetch-kernel", checks["kernel"]["text"])

    def test_a_qemu_that_is_named_has_to_work(self):
        self.with_kernels()
        _, checks = self.doctor(kit.NOT_TRIED, "--qemu", "/nonexistent/q\"\\\n\x01\u00e9")
        self.assertNotEqual(checks["qemu"]["level"], "ok")

    def test_no_cache(self):
        self.with_kernels()
        (self.folder / "file").touch()
        _, checks = self.doctor(kit.NOT_TRIED, "--cache-dir", self.folder / "file" / "cache")
        self.assertEqual(checks["cache"]["level"], "missing")
        self.assertTrue(checks["cache"]["remedy"])

    def test_the_schema_bites(self):
        document, _ = self.doctor(kit.NOT_TRIED)
        for change in ({"schema_version": 2}, {"usable": "no"}, {"machine": "xen"},
                       {"checks": [{**document["checks"][0], "level": "fine"}]},
                       {"checks": [{**document["checks"][0], "facts": {"online": 0}}]}):
            with self.assertRaises(jsonschema.ValidationError):
                self.validator.validate({**document, **change})

    def test_output_that_is_not_taken(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = self.attachverdict("doctor", "--format", "json", env=self.env, stdout=full)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("No space left", done.stderr)


if __name__ == "__main__":
    kit.main()
