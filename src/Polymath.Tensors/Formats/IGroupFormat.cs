namespace Polymath.Tensors;

/// <summary>
/// A block format of small integers in groups that share a scale and, in some formats, a minimum:
/// value = scale · q − minimum. All formats of fewer than 16 bits are of this kind.
/// </summary>
internal unsafe interface IGroupFormat : IBlockFormat
{
    /// <summary>Elements that share a scale: 16 or 32.</summary>
    static abstract int GroupLength { get; }

    /// <summary>Whether <see cref="Unpack"/> writes minima.</summary>
    static abstract bool HasMinima { get; }

    /// <summary>
    /// The integers of a block, BlockLength of them, and a scale (and a minimum) for each group. Any bytes are a
    /// valid block; only scales of NaN or infinity give values that are none.
    /// </summary>
    static abstract void Unpack(byte* block, sbyte* q, float* scales, float* minima);
}
