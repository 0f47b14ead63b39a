"""Turn a GGUF file into a folder of bf16 safetensors: `python convert_gguf.py FILE FOLDER`.

Run as a file by the engine's interpreter, where transformers, gguf and accelerate are; evalkit
itself is not there, so nothing of it is imported.
"""

import sys
from pathlib import Path


def convert(source: Path, target: Path) -> None:
    """Write config, tokenizer and dequantised bf16 weights of `source` into `target`."""
    import torch
    import transformers

    options = {"gguf_file": source.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, **options)
    # Where transformers can keep the weights packed it has a switch; older ones always unpack.
    if hasattr(transformers, "GgufConfig"):
        options["quantization_config"] = transformers.GgufConfig(dequantize=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.parent, dtype=torch.bfloat16, **options
    )
    quantizer = getattr(model, "hf_quantizer", None)
    if quantizer is not None:  # the weights are plain by now; the mark would forbid saving them
        quantizer.remove_quantization_config(model)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
