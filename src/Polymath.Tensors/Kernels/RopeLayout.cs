namespace Polymath.Tensors;

/// <summary>Which two elements of a head are rotated together.</summary>
public enum RopeLayout
{
    /// <summary>Elements 2i and 2i + 1: Llama weights as GGUF files store them.</summary>
    Adjacent,

    /// <summary>Elements i and i + R/2: GPT-NeoX, and Llama-family weights as Hugging Face stores them.</summary>
    Halves,
}
