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
        Integers<Q4_0>(TensorFormat.Q4_0);
        Integers<Q4_1>(TensorFormat.Q4_1);
        Integers<Q5_0>(TensorFormat.Q5_0);
        Integers<Q5_1>(TensorFormat.Q5_1);
        Integers<Q8_0>(TensorFormat.Q8_0);
        Integers<Q2_K>(TensorFormat.Q2_K);
        Integers<Q3_K>(TensorFormat.Q3_K);
        Integers<Q4_K>(TensorFormat.Q4_K);
        Integers<Q5_K>(TensorFormat.Q5_K);
        Integers<Q6_K>(TensorFormat.Q6_K);
        Integers<IQ4_NL>(TensorFormat.IQ4_NL);
        Integers<IQ4_XS>(TensorFormat.IQ4_XS);
        Integers<MXFP4>(TensorFormat.MXFP4);
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
            => entries[(int)format] = new Entry
            {
                BlockLength = TFormat.BlockLength,
                BlockBytes = TFormat.BlockBytes,
                Dequantize = &TFormat.Dequantize,
            };

        void Writable<TFormat>(TensorFormat format)
            where TFormat : struct, IWritableFormat
        {
            Readable<TFormat>(format);
            entries[(int)format].Quantize = &TFormat.Quantize;
        }

        void Integers<TFormat>(TensorFormat format)
            where TFormat : struct, IWritableFormat, IInterleavedFormat
        {
            Writable<TFormat>(format);
            entries[(int)format].StepsPerSum = TFormat.StepsPerSum;
            entries[(int)format].Interleave = &Interleaving.Run<TFormat>;
            entries[(int)format].Rows = &MatMulInteger.Rows<TFormat>;
        }
    }

    /// <summary>A format's sizes and code.</summary>
    internal struct Entry
    {
        public int BlockLength;
        public int BlockBytes;
        public delegate*<byte*, float*, int, void> Dequantize;

        /// <summary>Null where the format is only read.</summary>
        public delegate*<float*, float*, byte*, int, void> Quantize;

        /// <summary>As <see cref="IInterleavedFormat.StepsPerSum"/>.</summary>
        public int StepsPerSum;

        /// <summary>Lays up to sixteen rows side by side; null, like <see cref="Rows"/>, where the matmul unpacks to floats.</summary>
        public delegate*<byte*, nint, int, int, byte*, void> Interleave;

        /// <summary>The outputs of weight rows.</summary>
        public delegate*<InstructionSet, MatMul.Part*, int, int, void> Rows;
    }
}
