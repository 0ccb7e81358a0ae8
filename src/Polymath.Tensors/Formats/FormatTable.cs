namespace Polymath.Tensors;

/// <summary>All formats that this engine reads, by number: the one place where they are listed.</summary>
internal static unsafe class FormatTable
{
    private static readonly Entry[] s_entries = Build();
    private static readonly Entry s_none;

    /// <summary>What is known of a format; all zero for one that is not in the table.</summary>
    public static ref readonly Entry Of(TensorFormat format)
    {
        Entry[] entries = s_entries;
        if ((uint)format < (uint)entries.Length)
            return ref entries[(int)format];
        return ref s_none;
    }

    private static Entry[] Build()
    {
        var entries = new Entry[(int)TensorFormat.NVFP4 + 1];
        Writable<F32>(TensorFormat.F32);
        Writable<F16>(TensorFormat.F16);
        Writable<BF16>(TensorFormat.BF16);
        Writable<Q4_0>(TensorFormat.Q4_0);
        Writable<Q4_1>(TensorFormat.Q4_1);
        Writable<Q5_0>(TensorFormat.Q5_0);
        Writable<Q5_1>(TensorFormat.Q5_1);
        Writable<Q8_0>(TensorFormat.Q8_0);
        Writable<Q2_K>(TensorFormat.Q2_K);
        Writable<Q3_K>(TensorFormat.Q3_K);
        Writable<Q4_K>(TensorFormat.Q4_K);
        Writable<Q5_K>(TensorFormat.Q5_K);
        Writable<Q6_K>(TensorFormat.Q6_K);
        Writable<IQ4_NL>(TensorFormat.IQ4_NL);
        Writable<IQ4_XS>(TensorFormat.IQ4_XS);
        Writable<MXFP4>(TensorFormat.MXFP4);
        Readable<IQ1_S>(TensorFormat.IQ1_S);
        Readable<IQ1_M>(TensorFormat.IQ1_M);
        Readable<IQ2_XXS>(TensorFormat.IQ2_XXS);
        Readable<IQ2_XS>(TensorFormat.IQ2_XS);
        Readable<IQ2_S>(TensorFormat.IQ2_S);
        Readable<IQ3_XXS>(TensorFormat.IQ3_XXS);
        Readable<IQ3_S>(TensorFormat.IQ3_S);
        Readable<TQ1_0>(TensorFormat.TQ1_0);
        Readable<TQ2_0>(TensorFormat.TQ2_0);
        Readable<NVFP4>(TensorFormat.NVFP4);
        return entries;

        void Readable<TFormat>(TensorFormat format)
            where TFormat : struct, IBlockFormat
            => entries[(int)format] = new Entry(TFormat.BlockLength, TFormat.BlockBytes, &TFormat.Dequantize, null);

        void Writable<TFormat>(TensorFormat format)
            where TFormat : struct, IWritableFormat
            => entries[(int)format] = new Entry(TFormat.BlockLength, TFormat.BlockBytes, &TFormat.Dequantize, &TFormat.Quantize);
    }

    /// <summary>A format's sizes and code; <see cref="Quantize"/> is null where it is only read.</summary>
    internal readonly struct Entry(
        int blockLength,
        int blockBytes,
        delegate*<byte*, float*, int, void> dequantize,
        delegate*<float*, float*, byte*, int, void> quantize)
    {
        public readonly int BlockLength = blockLength;
        public readonly int BlockBytes = blockBytes;
        public readonly delegate*<byte*, float*, int, void> Dequantize = dequantize;
        public readonly delegate*<float*, float*, byte*, int, void> Quantize = quantize;
    }
}
