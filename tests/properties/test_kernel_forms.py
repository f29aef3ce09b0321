"""The kernels in their plain form, and with every access to memory checked, in processes of their own."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from tests.examples import examples
from tests.properties import decode_in_process
from tests.properties.mutations import corpus
from tests.unit.decode.decoding import observe

REPOSITORY = Path(__file__).resolve().parents[2]


def run(rounds: int, seed: int, **environment: str) -> dict[str, Any]:
    """What `decode_in_process` says with these variables in its environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DDB_CONVERT_")}
    clean["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), clean.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.properties.decode_in_process", str(rounds), str(seed)],
        env=clean | environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def build_form(form: str) -> None:
    """Build the library in this form if there is none for these sources."""
    program = (
        "from converter.kernels.library import NATIVE, library_name;"
        "from converter.kernels.toolchain.build import build_library;"
        "(NATIVE / library_name()).is_file() or build_library()"
    )
    variables = {**os.environ, "DDB_CONVERT_KERNELS": form}
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, env=variables, check=True)


@pytest.mark.slow
def test_both_forms_of_the_kernels_make_the_same_of_the_same_blocks() -> None:
    seed = random.SystemRandom().randrange(2**32)
    for form in ("vector", "plain"):
        build_form(form)
    vector = run(examples(3000), seed, DDB_CONVERT_KERNELS="vector")
    plain = run(examples(3000), seed, DDB_CONVERT_KERNELS="plain")
    assert (vector["form"], plain["form"]) == ("vector", "plain")
    differences = [pair for pair in zip(vector["outcomes"], plain["outcomes"], strict=True) if pair[0] != pair[1]]
    assert not differences, seed
    assert len(set(vector["outcomes"])) > 100


@pytest.mark.slow
def test_no_block_makes_the_kernels_touch_memory_that_is_not_theirs() -> None:
    seed = random.SystemRandom().randrange(2**32)
    found = run(examples(6000), seed, DDB_CONVERT_BOUNDS_CHECK="1")
    assert (found["form"], found["checked"]) == ("plain", True)
    # One index past the end raises, so the silence of the rest means something.
    assert found["caught"] == {"64": True, "1000": True, "-1": True}
    assert len(set(found["outcomes"])) > 200


def test_the_outcome_of_a_block_tells_rows_from_problems() -> None:
    good = corpus()[0]
    options = ConvertOptions()
    schema = derive_schema(observe(good), options)
    fine = decode_in_process.outcome(good, schema, options)
    assert fine != decode_in_process.outcome(good * 2, schema, options)
    assert decode_in_process.outcome(good.replace(b"-12.5", b"x"), schema, options) == "0 $.Item.b.N not a number"
