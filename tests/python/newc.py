# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""An independent reader of newc archives (buffer-format.rst of the kernel's documentation)."""

import collections
import os
import stat

Entry = collections.namedtuple("Entry", "name mode ino nlink mtime data")


def read(data):
    """A dict of entries by name, in order; each byte of the archive accounted for."""
    entries = {}
    inodes = set()
    at = 0
    while True:
        header = data[at:at + 110]
        assert len(header) == 110 and header[:6] == b"070701", "header at %d" % at
        fields = [int(header[6 + 8 * i:14 + 8 * i], 16) for i in range(13)]
        ino, mode, uid, gid, nlink, mtime, size = fields[:7]
        start = at + 110
        name = data[start:start + fields[11]]
        assert name[-1:] == b"\0" and b"\0" not in name[:-1], name
        name = name[:-1].decode(errors="surrogateescape")
        body = (start + fields[11] + 3) & ~3
        assert not any(data[start + fields[11]:body]), "padding of %s" % name
        content = data[body:body + size]
        assert len(content) == size, "content of %s" % name
        at = (body + size + 3) & ~3
        assert not any(data[body + size:at]), "padding behind %s" % name
        if name == "TRAILER!!!":
            assert not any(data[at:]), "bytes behind the trailer"
            return entries
        assert name not in entries, "%s twice" % name
        assert ino not in inodes, "inode of %s" % name
        assert (uid, gid, mtime) == (0, 0, 0), name
        parent = os.path.dirname(name)
        assert not parent or stat.S_ISDIR(entries[parent].mode), "parent of %s" % name
        inodes.add(ino)
        entries[name] = Entry(name, mode, ino, nlink, mtime, content)


def unpack(entries, root):
    """As the kernel does it: in order, without owners."""
    for entry in entries.values():
        path = os.path.join(root, entry.name)
        if stat.S_ISDIR(entry.mode):
            os.mkdir(path)
            os.chmod(path, stat.S_IMODE(entry.mode) | 0o700)
        elif stat.S_ISLNK(entry.mode):
            os.symlink(entry.data.decode(errors="surrogateescape"), path)
        else:
            assert stat.S_ISREG(entry.mode), entry
            with open(path, "wb") as file:
                file.write(entry.data)
            os.chmod(path, stat.S_IMODE(entry.mode))
