"""Writes the licences of every crate that the program is built from into one file, which goes into each package of the
program: most of these licences ask for that.

    python3 .ci/licences.py target/LICENSE-CRATES [TARGET]

TARGET is the system that the program is built for, by default that of rustc. Crates that are only compiled with, or only
tested with, are left out. Needs nothing but Python and cargo.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Files of a crate that hold a licence or must go with it; fonts have theirs beside them, in folders.
NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense|ofl|ufl)([-_. ].*)?", re.IGNORECASE)
# Endings of files that hold no licence although they are called so, such as `license.rs`.
CODE = {".rs", ".toml", ".py", ".html", ".json", ".png"}


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def crates(target):
    """The crates that become part of the program, by name and version."""
    found = json.loads(output("cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target))
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    seen, waiting = set(), [found["resolve"]["root"]]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            is_built_in = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            is_macro = any("proc-macro" in part["kind"] for part in packages[dependency["pkg"]]["targets"])
            if is_built_in and not is_macro and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return sorted((packages[name] for name in seen), key=lambda package: (package["name"], package["version"]))


def texts(package):
    """The licences in a crate: paths within it and their texts."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = {path for path in folder.rglob("*") if NAMES.fullmatch(path.name) and path.suffix not in CODE}
    if package["license_file"]:
        files.add(folder / package["license_file"])
    found = sorted(path for path in files if path.is_file())
    return [(str(path.relative_to(folder)), path.read_text("utf-8", "replace").strip()) for path in found]


def main(out, target):
    packages = crates(target)
    by_text = {}
    lines = ["Crosscurrent is built from these crates, each under the licence beside it. The texts of the licences follow.", ""]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        authors = ", ".join(author.split(" <")[0] for author in package["authors"])
        licence = package["license"] or "see the text of its licence"
        lines.append(f"{name}: {licence}" + (f" ({authors})" if authors else ""))
        found = texts(package)
        if not found and package["license"] is None:
            sys.exit(f"{name} has no licence")
        for file, text in found:
            by_text.setdefault(text, []).append(f"{name}, {file}")
    for text, holders in by_text.items():
        lines += ["", "-" * 80, *holders, "", text]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"licences of {len(packages)} crates in {len(by_text)} texts: {out}")


if __name__ == "__main__":
    host = re.search(r"host: (\S+)", output("rustc", "-vV"))[1]
    main(pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else host)
