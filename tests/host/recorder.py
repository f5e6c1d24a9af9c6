"""A file system with one file, `disk`, that writes down each write to it.

    recorder.py FOLDER BYTES LOG

It is mounted at FOLDER (fuse(4)) until it is unmounted. LOG has a record for
each write, in their order: the offset (8 bytes), the length (4 bytes, both in
little endian), and the data. A flush is a record with the offset 2**64 - 1.
"ready" is written to standard output once it is mounted.
"""
import ctypes
import errno
import os
import struct
import sys

folder, size, log_path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
data = bytearray(size)
log = open(log_path, "wb", buffering=0)
flush = 2**64 - 1
most = 128 * 1024


def attributes(node):
    is_folder = node == 1
    mode, length = (0o40755, 0) if is_folder else (0o100600, size)
    times = (0, 0, 0, 0, 0, 0)
    return struct.pack("<6Q10I", node, length, length // 512, *times[:3], *times[3:],
                       mode, 1, 0, 0, 0, 4096, 0)


def attributes_out(node):
    return struct.pack("<QII", 3600, 0, 0) + attributes(node)


def begin(body):
    _, minor, readahead, _ = struct.unpack_from("<4I", body)
    # Writes of many pages: FUSE_BIG_WRITES, FUSE_MAX_PAGES.
    flags = 1 << 5 | 1 << 22
    return struct.pack("<4IHHIIHHI7I", 7, min(minor, 31), readahead, flags, 16, 12,
                       most, 1, most // 4096, 0, 0, *[0] * 7)


def look_up(body):
    if body.rstrip(b"\0") != b"disk":
        return -errno.ENOENT
    return struct.pack("<4Q2I", 2, 0, 3600, 3600, 0, 0) + attributes(2)


def read(body):
    _, offset, length = struct.unpack_from("<QQI", body)
    return bytes(data[offset:offset + length])


def write(body):
    _, offset, length = struct.unpack_from("<QQI", body)
    content = body[40:40 + length]
    data[offset:offset + length] = content
    log.write(struct.pack("<QI", offset, length) + content)
    return struct.pack("<II", length, 0)


def sync(_):
    log.write(struct.pack("<QI", flush, 0))
    return b""


def opened(_):
    return struct.pack("<QII", 1, 2, 0)


def nothing(_):
    return b""


answers = {
    1: look_up, 14: opened, 15: read, 16: write, 17: lambda _: bytes(80),
    18: nothing, 20: sync, 25: nothing, 26: begin, 27: opened, 28: nothing,
    29: nothing, 38: nothing,
}
# FORGET, INTERRUPT, BATCH_FORGET: nobody waits for an answer.
silent = {2, 36, 42}


def answer(opcode, node, body):
    if opcode in (3, 4):
        return attributes_out(node)
    if opcode not in answers:
        return -errno.ENOSYS
    return answers[opcode](body)


def main():
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"recorder", folder.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    os.write(1, b"ready\n")
    while True:
        try:
            request = os.read(device, most + 4096)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            raise
        opcode, unique, node = struct.unpack_from("<4xIQQ", request)
        if opcode in silent:
            continue
        said = answer(opcode, node, request[40:])
        code, content = (said, b"") if isinstance(said, int) else (0, said)
        head = struct.pack("<IiQ", 16 + len(content), code, unique)
        os.write(device, head + content)


main()
