using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>
/// The experts of gpt-oss: blocks [experts, rows, blocks, 16] of 32 four-bit numbers, neighbours in one byte, the
/// first in its lower half; and their scales [experts, rows, blocks], one exponent each. GGUF's MXFP4 puts the exponent
/// before its block and pairs number i with number i + 16 in a byte, the first of them in its lower half.
/// </summary>
/// <param name="row">For a row of the result its row in the sources, counted through all experts; null for the same.</param>
internal sealed class Mxfp4Pack(Func<int, int>? row = null) : Recipe
{
    /// <summary>GGUF's number of the format.</summary>
    public const int Mxfp4 = 39;

    /// <summary>Numbers in a block.</summary>
    public const int BlockLength = 32;

    private const int Packed = 16;
    private const int BlockBytes = 1 + Packed;

    /// <inheritdoc/>
    public override int? FormatId(TensorFormat stored) => Mxfp4;

    /// <inheritdoc/>
    public override unsafe void Make(StoredTensor[] sources, TensorInfo info, NativeBuffer target)
    {
        int blocks = checked((int)(info.Dimensions[0] / BlockLength));
        long rows = info.ElementCount / info.Dimensions[0];
        for (int i = 0; i < rows; i++)
        {
            long place = row?.Invoke(i) ?? i;
            ReadOnlySpan<byte> numbers = sources[0].Bytes(place * blocks * Packed, blocks * Packed);
            ReadOnlySpan<byte> scales = sources[1].Bytes(place * blocks, blocks);
            Pack(numbers, scales, new Span<byte>(target.Data + ((long)i * blocks * BlockBytes), blocks * BlockBytes));
        }
    }

    private static void Pack(ReadOnlySpan<byte> numbers, ReadOnlySpan<byte> scales, Span<byte> target)
    {
        for (int block = 0; block < scales.Length; block++)
        {
            ReadOnlySpan<byte> from = numbers.Slice(block * Packed, Packed);
            Span<byte> to = target.Slice(block * BlockBytes, BlockBytes);
            to[0] = scales[block];
            for (int i = 0; i < Packed; i++)
                to[1 + i] = (byte)(Number(from, i) | (Number(from, i + Packed) << 4));
        }
    }

    private static int Number(ReadOnlySpan<byte> packed, int i) => (packed[i / 2] >> (i % 2 * 4)) & 15;
}
