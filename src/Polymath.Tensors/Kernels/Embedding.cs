namespace Polymath.Tensors;

/// <summary>Rows of a table of token vectors.</summary>
public static unsafe partial class Embedding
{
    /// <summary>y[t] = weight[ids[t]], unpacked to F32.</summary>
    /// <param name="weight">[V, D] in any format.</param>
    /// <param name="ids">T token ids.</param>
    /// <param name="y">[T, D].</param>
    /// <exception cref="ArgumentException">An id outside the table, or shapes that do not fit.</exception>
    public static void Gather(Tensor weight, ReadOnlySpan<int> ids, Tensor y)
    {
        if (weight.IsEmpty || !FormatInfo.IsSupported(weight.Format))
            throw new ArgumentException($"Embedding: weight {weight} cannot be read");
        y.RequireF32(ids.Length, weight.Columns, "Embedding");
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)weight.Rows)
                throw new ArgumentException($"Embedding: id {id} is outside weight {weight}");
        }

        int blocks = weight.Columns / FormatInfo.BlockLength(weight.Format);
        long rowBytes = weight.RowBytes;
        for (int t = 0; t < ids.Length; t++)
            BlockFormat.Dequantize(weight.Format, weight.Data + (ids[t] * rowBytes), y.Floats + ((long)t * y.Columns), blocks);
        GC.KeepAlive(weight.Owner);
        GC.KeepAlive(y.Owner);
    }
}
