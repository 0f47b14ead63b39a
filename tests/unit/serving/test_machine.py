from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.serving.machine import Gpu, fast_bf16, this_machine
from tests.doubles.nvidia_smi import TWO_KINDS, write_nvidia_smi

AVX2 = "processor\t: 0\nflags\t\t: fpu sse4_2 avx2 fma\n"
AVX512 = "flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl\n"
ARM = "Features\t: fp asimd i8mm bf16\n"


@pytest.mark.parametrize(("cpuinfo", "fast"), [(AVX2, False), (AVX512, True), (ARM, True)])
def test_bfloat16_is_fast_with_avx512_or_on_arm_with_bf16(cpuinfo: str, fast: bool) -> None:
    assert fast_bf16(cpuinfo) is fast


def test_a_flag_is_a_whole_word() -> None:
    assert not fast_bf16("flags : avx512_bf16\n")


H100 = Gpu("NVIDIA H100 80GB HBM3", 81559 / 1024)
L4 = Gpu("NVIDIA L4", 23034 / 1024)


Look = Callable[..., tuple[Gpu, ...]]


@pytest.fixture
def gpus(tmp_path: Path) -> Look:
    """The GPUs seen where a program called nvidia-smi answers the question with `listed`."""

    def look(listed: str = TWO_KINDS, code: int = 0, **environ: str) -> tuple[Gpu, ...]:
        write_nvidia_smi(tmp_path, listed, code)
        return this_machine({"PATH": str(tmp_path), **environ}).gpus

    return look


def test_every_gpu_counts_with_its_memory(gpus: Look) -> None:
    assert gpus() == (H100, L4)


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        ("1", (L4,)),
        ("1,0", (L4, H100)),
        ("GPU-77aa", (L4,)),
        ("", ()),
        ("-1", ()),
        ("0,7,1", (H100,)),
        ("MIG-1234,MIG-5678", (Gpu("MIG slice"), Gpu("MIG slice"))),
    ],
)
def test_gpus_that_are_hidden_do_not_count(gpus: Look, visible: str, seen: tuple[Gpu, ...]) -> None:
    assert gpus(CUDA_VISIBLE_DEVICES=visible) == seen


def test_memory_that_is_not_told_is_unknown(gpus: Look) -> None:
    assert gpus("GPU-1, NVIDIA GB10, [N/A]") == (Gpu("NVIDIA GB10"),)


def test_a_driver_that_fails_has_no_gpus(gpus: Look) -> None:
    assert gpus("NVIDIA-SMI has failed, because it, could not reach the driver", code=9) == ()


def test_a_machine_without_nvidia_smi_has_no_gpus(tmp_path: Path) -> None:
    assert this_machine({"PATH": str(tmp_path)}).gpus == ()
