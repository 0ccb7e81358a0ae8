using System.Globalization;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>
/// Which tensors change their format, and to what: the matrices, as the mix says, where their rows fill its blocks.
/// Norms, biases, routers and other small tensors stay as they are.
/// </summary>
internal sealed class QuantizationPlan
{
    /// <summary>Of the block formats, as GGUF counts it under general.quantization_version.</summary>
    public const uint FormatVersion = 2;

    // Parts of the names of matrices that are small or suffer: convolutions, position tables, low-rank and mixing weights.
    private static readonly string[] s_kept =
    [
        "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d",
        "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight", "time_mix_w0.weight",
        "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight",
        "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
        "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight", ".position_embd",
        "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
    ];

    private readonly Dictionary<string, TensorFormat> _formats = new(StringComparer.Ordinal);

    /// <summary>Plans all tensors of a model.</summary>
    /// <param name="source">The model.</param>
    /// <param name="mix">The mix.</param>
    /// <param name="pure">Every matrix in the mix's own format.</param>
    /// <param name="hasImportance">An importance matrix is given; some choices depend on it.</param>
    public QuantizationPlan(WeightSource source, QuantizationMix mix, bool pure, bool hasImportance)
    {
        Mix = mix;
        var model = QuantizedModel.Read(source, hasImportance);
        // Counted in the order of the layers, whatever their order in the file.
        List<TensorInfo> ordered = [.. source.Tensors.OrderBy(t => Layer(t.Name)).ThenBy(t => t.Name, StringComparer.Ordinal)];
        int values = ordered.Count(t => Role(t.Name) == TensorRole.Value), value = 0, down = 0;
        foreach (TensorInfo tensor in ordered)
        {
            TensorFormat format = tensor.Format;
            if (IsQuantizable(tensor))
            {
                TensorRole role = Role(tensor.Name);
                (int at, int count) = role switch
                {
                    TensorRole.Value => (value++, values),
                    TensorRole.Down => (model.Experts > 1 ? Layer(tensor.Name) : down++, model.Layers),
                    _ => (0, 0),
                };
                format = IsQuantized(mix.Format) && !pure ? mix.Choose(role, tensor, model, at, count) : mix.Format;
                TensorFormat fitting = QuantizationMix.Fitting(format, tensor.Dimensions[0]);
                Fallbacks += fitting == format ? 0 : 1;
                format = fitting;
            }
            else if (source is HuggingFaceFolder && format is TensorFormat.F16 or TensorFormat.BF16)
            {
                format = TensorFormat.F32;   // as GGUF files have them
            }

            _formats.Add(tensor.Name, format);
        }
    }

    /// <summary>The mix.</summary>
    public QuantizationMix Mix { get; }

    /// <summary>Tensors whose rows do not fill the blocks of the format they should have.</summary>
    public int Fallbacks { get; }

    /// <summary>The format of a tensor in the new file.</summary>
    public TensorFormat FormatOf(TensorInfo tensor) => _formats[tensor.Name];

    /// <summary>True for formats that have lost precision in blocks; making another format of them loses more.</summary>
    public static bool IsQuantized(TensorFormat format) => FormatInfo.BlockLength(format) > 1;

    /// <summary>A tensor of a new file, read and converted when it is written.</summary>
    /// <param name="source">The model.</param>
    /// <param name="tensor">One of its tensors.</param>
    /// <param name="format">The new format.</param>
    /// <param name="importance">How much the error in each column counts: one row, or one for each expert; empty for none.</param>
    /// <param name="threads">Threads to use; 0 for one per processor.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="ModelFormatException">The tensor is too large.</exception>
    public static GgufWriter.Entry Entry(
        WeightSource source, TensorInfo tensor, TensorFormat format, float[] importance, int threads, CancellationToken cancellation)
    {
        long rows = tensor.ElementCount / Math.Max(1, tensor.Dimensions[0]);
        if (rows > int.MaxValue || tensor.Dimensions[0] > int.MaxValue)
            throw new ModelFormatException($"{source.Path}: tensor {tensor.Name} is too large");
        int columns = (int)tensor.Dimensions[0];
        return new GgufWriter.Entry(tensor.Name, tensor.Dimensions, format, (int)rows, columns, () =>
        {
            try
            {
                return Convert(source.ReadOnce(tensor.Name, (int)rows, columns), format, importance, threads, cancellation);
            }
            catch (AggregateException e) when (e.InnerException is ArgumentException cause)
            {
                throw new ModelFormatException($"{source.Path}: tensor {tensor.Name}: {cause.Message}", e);
            }
        });
    }

    private static bool IsQuantizable(TensorInfo tensor)
    {
        string name = tensor.Name;
        int dimensions = tensor.Dimensions.Count;
        while (dimensions > 1 && tensor.Dimensions[dimensions - 1] == 1)
            dimensions--;
        return dimensions > 1
            && name.EndsWith("weight", StringComparison.Ordinal)
            && name is not ("position_embd.weight" or "token_types.weight")
            && !s_kept.Any(part => name.Contains(part, StringComparison.Ordinal));
    }

    /// <summary>[rows, columns], the matrices of all experts one after the other, in another format.</summary>
    private static Tensor Convert(Tensor source, TensorFormat format, float[] importance, int threads, CancellationToken cancellation)
    {
        if (source.Format == format)
            return source;
        var result = Tensor.Zeros(format, source.Rows, source.Columns);
        int experts = Math.Max(1, importance.Length / source.Columns), rowsOfExpert = source.Rows / experts;
        Parallel.For(
            0,
            source.Rows,
            new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = threads == 0 ? -1 : threads },
            () => new float[source.Columns],
            (row, _, values) =>
            {
                BlockFormat.Dequantize(source.Format, source.RowData(row), values);
                ReadOnlySpan<float> weights = importance.Length == 0 ? [] : importance.AsSpan(row / rowsOfExpert * source.Columns, source.Columns);
                BlockFormat.Quantize(format, values, weights, result.RowData(row));
                return values;
            },
            _ => { });
        return result;
    }

    private static TensorRole Role(string name)
    {
        return name switch
        {
            "output.weight" => TensorRole.Output,
            "token_embd.weight" or "per_layer_token_embd.weight" => TensorRole.Embedding,
            _ when Has("attn_qkv.weight") || Has("attn_kv_b.weight") || Has("attn_v.weight") => TensorRole.Value,
            _ when Has("attn_k.weight") => TensorRole.Key,
            _ when Has("attn_output.weight") => TensorRole.AttentionOutput,
            _ when Has("ffn_down") => TensorRole.Down,
            _ => TensorRole.Other,
        };

        bool Has(string part) => name.Contains(part, StringComparison.Ordinal);
    }

    /// <summary>The number after "blk.", −1 where there is none.</summary>
    private static int Layer(string name)
    {
        string[] parts = name.Split('.', 3);
        return parts.Length == 3 && parts[0] == "blk" && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
            ? layer : -1;
    }
}
