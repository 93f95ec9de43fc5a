"""Records live for years and producers are rolled out one by one: a field's number and type are for ever.

`proto/fields.lock` lists every field and enum value that was ever released. Lines may be added, never changed; a field that is
removed must stay `reserved`, by number and by name, and keeps its line.
"""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto

from antiphon.v1 import config_pb2, decision_pb2, delivery_pb2, entry_pb2, event_pb2

LOCK = Path(__file__).parents[3] / "proto" / "fields.lock"

FILES = (config_pb2, decision_pb2, delivery_pb2, entry_pb2, event_pb2)


def messages() -> Iterator[Descriptor]:
    for module in FILES:
        yield from module.DESCRIPTOR.message_types_by_name.values()


def enums() -> Iterator[EnumDescriptor]:
    for module in FILES:
        yield from module.DESCRIPTOR.enum_types_by_name.values()


def described(field: FieldDescriptor) -> str:
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    named = field.message_type or field.enum_type
    label = "repeated " if field.is_repeated else ""
    choice = f" oneof {field.containing_oneof.name}" if field.containing_oneof else ""
    return f"{field.containing_type.name}.{field.name} = {field.number} {label}{named.full_name if named else kind}{choice}"


def current() -> set[str]:
    fields = {described(field) for message in messages() for field in message.fields}
    return fields | {f"{enum.name}.{value.name} = {value.number}" for enum in enums() for value in enum.values}


def reserved() -> set[tuple[str, str, int]]:
    """Owner, name and number of everything that was removed in order."""
    found: set[tuple[str, str, int]] = set()
    for message in messages():
        as_data = DescriptorProto()
        message.CopyToProto(as_data)
        ranges = [range(part.start, part.end) for part in as_data.reserved_range]
        found |= {(message.name, name, number) for name in as_data.reserved_name for part in ranges for number in part}
    for enum in enums():
        enum_data = EnumDescriptorProto()
        enum.CopyToProto(enum_data)
        inclusive = [range(part.start, part.end + 1) for part in enum_data.reserved_range]
        found |= {(enum.name, name, number) for name in enum_data.reserved_name for part in inclusive for number in part}
    return found


def broken(locked: set[str], now: set[str], removed: set[tuple[str, str, int]]) -> list[str]:
    """Return the locked lines that are neither in force nor reserved."""
    return sorted(line for line in locked - now if identity(line) not in removed)


def identity(line: str) -> tuple[str, str, int]:
    owner, name = line.split(" ")[0].split(".")
    return owner, name, int(line.split(" ")[2])


def locked_lines() -> set[str]:
    return {line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}


def test_nothing_that_was_released_has_changed() -> None:
    changed = broken(locked_lines(), current(), reserved())
    assert not changed, f"changed or removed without `reserved`; take the change back: {changed}"


def test_everything_new_is_written_down() -> None:
    new = sorted(current() - locked_lines())
    assert not new, "add these lines to proto/fields.lock:\n" + "\n".join(new)


def test_no_number_and_no_name_has_two_meanings() -> None:
    lines = [identity(line) for line in locked_lines()]
    assert len({(owner, number) for owner, _, number in lines}) == len(lines)
    assert len({(owner, name) for owner, name, _ in lines}) == len(lines)


def test_the_check_itself_finds_a_change_and_accepts_a_removal_in_order() -> None:
    before = {"Event.text = 12 string", "Event.ad = 16 bool"}
    assert broken(before, {"Event.text = 12 bytes", "Event.ad = 16 bool"}, set()) == ["Event.text = 12 string"]
    assert broken(before, {"Event.ad = 16 bool"}, set()) == ["Event.text = 12 string"]
    assert broken(before, {"Event.ad = 16 bool"}, {("Event", "text", 12)}) == []


def test_every_enum_begins_with_unspecified_and_carries_its_name() -> None:
    count = 0
    for enum in enums():
        prefix = "".join("_" + letter if letter.isupper() else letter.upper() for letter in enum.name).lstrip("_")
        assert enum.values_by_number[0].name == f"{prefix}_UNSPECIFIED"
        assert all(value.name.startswith(f"{prefix}_") for value in enum.values)
        count += 1
    assert count >= 10


def test_moments_are_timestamps_and_are_called_time() -> None:
    for message in messages():
        for field in message.fields:
            is_moment = field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"
            assert is_moment == field.name.endswith("_time"), f"{message.name}.{field.name}"
