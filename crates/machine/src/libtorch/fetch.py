"""Fetches LibTorch with pip and lays it out as torch-sys expects it: `include` and `lib`.

    python3 fetch.py cpu|cuda REQUIREMENTS FOLDER

FOLDER is empty; wheels lie in FOLDER/wheels until they are unpacked. Everything is said on stderr.
"""
import os
import subprocess
import sys
import zipfile

kind, requirements, folder = sys.argv[1:]
wheels = os.path.join(folder, "wheels")

# One wheel of each package, whichever Python this is: its libraries are the same in all.
target = ["--implementation", "cp", "--python-version", "3.12", "--abi", "cp312", "--platform", "manylinux1_x86_64"]
for glibc in ["2010", "2014", "_2_5", "_2_12", "_2_17", "_2_18", "_2_24", "_2_25", "_2_27", "_2_28"]:
    target += ["--platform", f"manylinux{glibc}_x86_64"]
pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", *target]
done = subprocess.run([*pip, "--dest", wheels, "--requirement", requirements], stdout=sys.stderr)
if done.returncode != 0:
    sys.exit(done.returncode)

CPU_LIBRARIES = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"]


def place(name):
    """Where a file of a wheel belongs, or None."""
    library = os.path.basename(name)
    if name.startswith("torch/include/"):
        return name.removeprefix("torch/")
    if "/lib/" not in name or ".so" not in library:
        return None
    if not name.startswith(("torch/lib/", "nvidia/")):
        return None
    if kind == "cpu":
        return f"lib/{library}" if library in CPU_LIBRARIES else None
    return None if "libtorch_python" in library else f"lib/{library}"


for wheel in sorted(os.listdir(wheels)):
    path = os.path.join(wheels, wheel)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            to = place(member.filename)
            if to is None or member.is_dir():
                continue
            to = os.path.join(folder, to)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            with archive.open(member) as source, open(to, "wb") as out:
                while block := source.read(1 << 22):
                    out.write(block)
    os.remove(path)
os.rmdir(wheels)

if kind == "cpu":
    # The wheel's own libtorch.so asks for the CUDA half.
    with open(os.path.join(folder, "lib/libtorch.so"), "w") as script:
        script.write("INPUT(-ltorch_cpu -lc10)\n")
