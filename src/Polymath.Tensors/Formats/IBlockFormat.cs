namespace Polymath.Tensors;

/// <summary>A block format: its layout and its scalar truth. One struct per format, used only as a type argument.</summary>
internal unsafe interface IBlockFormat
{
    /// <summary>Elements in a block.</summary>
    static abstract int BlockLength { get; }

    /// <summary>Bytes in a block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Unpacks <paramref name="blocks"/> blocks to floats.</summary>
    static abstract void Dequantize(byte* source, float* target, int blocks);
}

/// <summary>A format that this engine writes.</summary>
internal unsafe interface IWritableFormat : IBlockFormat
{
    /// <summary>Packs a row of finite floats into <paramref name="blocks"/> blocks, as ggml's reference does, bit for bit.</summary>
    /// <param name="source">The row.</param>
    /// <param name="importance">How much an error in each element counts; null for the format's own weights.</param>
    /// <param name="target">Takes the blocks.</param>
    /// <param name="blocks">Blocks of the whole row.</param>
    static abstract void Quantize(float* source, float* importance, byte* target, int blocks);
}

/// <summary>A format of single elements (blocks of one): multiplied with F32 activations.</summary>
internal unsafe interface IFloatFormat : IWritableFormat
{
    /// <summary>The element at <paramref name="source"/>.</summary>
    static abstract float Load(byte* source);
}
