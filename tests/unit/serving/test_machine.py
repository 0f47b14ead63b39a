import pytest

from evalkit.serving.machine import fast_bf16

AVX2 = "processor\t: 0\nflags\t\t: fpu sse4_2 avx2 fma\n"
AVX512 = "flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl\n"
ARM = "Features\t: fp asimd i8mm bf16\n"


@pytest.mark.parametrize(("cpuinfo", "fast"), [(AVX2, False), (AVX512, True), (ARM, True)])
def test_bfloat16_is_fast_with_avx512_or_on_arm_with_bf16(cpuinfo: str, fast: bool) -> None:
    assert fast_bf16(cpuinfo) is fast


def test_a_flag_is_a_whole_word() -> None:
    assert not fast_bf16("flags : avx512_bf16\n")
