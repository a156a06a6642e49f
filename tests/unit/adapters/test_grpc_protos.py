"""The protos and what is made of them stay in step with each other and with the ports."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from linkflow.adapters.grpc.records import Layout
from linkflow.adapters.grpc.surface import SERVICES

ROOT = Path(__file__).resolve().parents[3]


def test_generated_messages_are_in_step() -> None:
    """C10: compiling proto/ again gives the files that are committed."""
    compiling = [sys.executable, "scripts/protos.py", "--check"]
    done = subprocess.run(compiling, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("role", SERVICES)
def test_every_rpc_is_served(role: str) -> None:
    """Every RPC of a proto is a method of the port or a stream, and nothing else is."""
    service = SERVICES[role]
    declared = service.module.DESCRIPTOR.services_by_name[service.name].methods_by_name

    assert set(declared) == {*service.rpcs, *service.streams}


@pytest.mark.parametrize("role", SERVICES)
def test_messages_carry_every_field(role: str) -> None:
    """A record of a port has a field in its message for each of its own, so that nothing is dropped."""
    dropped = []
    for call in SERVICES[role].calls().values():
        for record, message in ((call.takes_record, call.takes), (call.gives_record, call.gives)):
            if record is not None:
                there = {field.name for field in Layout(message).fields}
                dropped += [f"{call.path}: {name}" for name in record.__struct_fields__ if name not in there]

    assert [] == dropped


@pytest.mark.parametrize("role", SERVICES)
def test_what_may_be_left_out_keeps_its_default(role: str) -> None:
    """A message without any field reads as the record's defaults, wherever the record has them."""
    wrong = []
    for call in SERVICES[role].calls().values():
        record = call.takes_record
        if record is None:
            continue
        given = Layout(call.takes).unpack(call.takes())
        for field in msgspec.structs.fields(record):
            has_default = field.default is not msgspec.NODEFAULT and field.name in given
            if has_default and given[field.name] != field.default:
                wrong.append(f"{call.path}: {field.name}")

    assert [] == wrong
