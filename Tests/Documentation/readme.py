"""README.md and the Swift sources as data."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def rows(header):
    """The cells of each row of the table whose header row begins with these cells."""
    start = README.index("| " + " | ".join(header))
    lines = README[start:].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text):
    """Everything between backticks, fenced blocks aside."""
    return re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))


def blocks(language):
    """The contents of the fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def sources():
    """Path and text of all hand-written Swift."""
    return {path: path.read_text() for path in (ROOT / "Sources").rglob("*.swift") if not path.name.endswith(".pb.swift")}


def source(name):
    """The text of the one file of this name."""
    (text,) = [text for path, text in sources().items() if path.name == name]
    return text


def constants():
    """Every constant of an integer or Duration, as Type.name: value (seconds for durations)."""
    found = {}
    for path, text in sources().items():
        for name, value in re.findall(r"static let (\w+)(?:: \w+)? = (.+)", text):
            number = _number(value.split("//")[0].strip())
            if number is not None:
                found[f"{path.stem}.{name}"] = number
    return found


def _number(swift):
    if duration := re.fullmatch(r"(?:Duration|TimeAmount)?\.(seconds|milliseconds)\((\d+)\)", swift):
        return int(duration[2]) / {"seconds": 1, "milliseconds": 1000}[duration[1]]
    if shifted := re.fullmatch(r"([\d_]+) << (\d+)", swift):
        return int(shifted[1]) << int(shifted[2])
    return int(swift) if re.fullmatch(r"[\d_]+", swift) else None


def quantity(text):
    """What a value in the table of limits means: bytes, seconds or a count."""
    number, _, unit = text.partition(" ")
    scale = {"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "ms": 0.001, "s": 1, "min": 60}[unit]
    return int(number.replace(",", "")) * scale
