using Polymath.Generation;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>A named piece of the flat parameter memory.</summary>
/// <param name="Name">GGUF tensor name.</param>
/// <param name="Rows">Output features, or 1 for a norm.</param>
/// <param name="Columns">Input features.</param>
/// <param name="Offset">First element in the flat memory.</param>
/// <param name="Deviation">Standard deviation of its first random values; 0 for a norm, which starts at one.</param>
public sealed record Parameter(string Name, int Rows, int Columns, int Offset, float Deviation)
{
    /// <summary>Elements.</summary>
    public int Count => Rows * Columns;

    /// <summary>True for a norm's scale, a vector of one row.</summary>
    public bool IsNorm => Deviation == 0;
}

/// <summary>The parameters of one block, or their gradients, as views of the flat memory.</summary>
/// <param name="AttnNorm">[1, D].</param>
/// <param name="AttnQueryKey">[(H + K) · headSize, D]: queries and keys in one matrix, since both are rotated.</param>
/// <param name="AttnV">[K · headSize, D].</param>
/// <param name="AttnOutput">[D, H · headSize].</param>
/// <param name="FfnNorm">[1, D].</param>
/// <param name="FfnGate">[F, D].</param>
/// <param name="FfnUp">[F, D].</param>
/// <param name="FfnDown">[D, F].</param>
internal readonly record struct BlockWeights(
    Tensor AttnNorm, Tensor AttnQueryKey, Tensor AttnV, Tensor AttnOutput,
    Tensor FfnNorm, Tensor FfnGate, Tensor FfnUp, Tensor FfnDown);

/// <summary>
/// All parameters of a Llama model, or one value for each of them (gradient, moment), in one flat F32 memory: the
/// matrices first, then the norms, so that each kind is one span to the optimiser. Each parameter starts on a cache
/// line; the gaps hold zeros.
/// </summary>
public sealed class TrainingWeights
{
    private const int Line = NativeBuffer.Alignment / sizeof(float);

    /// <summary>Zeroed memory for a model of <paramref name="settings"/>.</summary>
    /// <exception cref="ArgumentException">More than 2^31 parameters.</exception>
    public TrainingWeights(ModelSettings settings, bool tied)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check("training");
        if (settings.CountParameters(tied) > int.MaxValue - (1 << 24))
            throw new ArgumentException("the model has more parameters than one flat memory holds (2^31)", nameof(settings));
        Settings = settings;
        Tied = tied;
        var parameters = new List<Parameter>();
        int end = Place(parameters, settings, tied, norms: false, 0);
        MatrixCount = end;
        end = Place(parameters, settings, tied, norms: true, end);
        Parameters = parameters;
        Flat = Tensor.Zeros(1, end);

        Embedding = View("token_embd.weight");
        OutputNorm = View("output_norm.weight");
        Output = tied ? Embedding : View("output.weight");
        Blocks = new BlockWeights[settings.Layers];
        for (int i = 0; i < Blocks.Length; i++)
            Blocks[i] = BlockOf(i);
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings { get; }

    /// <summary>True when the output head is the embedding.</summary>
    public bool Tied { get; }

    /// <summary>Every parameter by its GGUF name, in the order of the flat memory.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>[1, all]: every parameter and the gaps between them.</summary>
    public Tensor Flat { get; }

    /// <summary>Leading elements of <see cref="Flat"/> that belong to matrices; the rest are norms.</summary>
    public int MatrixCount { get; }

    internal Tensor Embedding { get; }   // [V, D]

    internal Tensor OutputNorm { get; }  // [1, D]

    internal Tensor Output { get; }      // [V, D]; the embedding again when tied

    internal BlockWeights[] Blocks { get; }

    /// <summary>The parameter named <paramref name="name"/> as a view.</summary>
    /// <exception cref="ArgumentException">No such parameter.</exception>
    public Tensor View(string name)
    {
        foreach (Parameter p in Parameters)
        {
            if (p.Name == name)
                return View(p.Offset, p.Rows, p.Columns);
        }

        throw new ArgumentException($"no parameter {name}", nameof(name));
    }

    /// <summary>Fills in the first values: normal, narrower where a projection feeds the residual stream; norms at one.</summary>
    /// <param name="seed">Equal seeds give equal bits.</param>
    public void Initialize(ulong seed)
    {
        var random = new RandomSource(seed);
        foreach (Parameter p in Parameters)
        {
            foreach (ref float value in View(p.Offset, p.Rows, p.Columns).AsFloats())
                value = p.IsNorm ? 1f : (float)(random.NextNormal() * p.Deviation);
        }
    }

    private static int Place(List<Parameter> to, ModelSettings s, bool tied, bool norms, int offset)
    {
        const float deviation = 0.02f;
        float residual = deviation / MathF.Sqrt(2f * s.Layers);   // Radford et al. 2019, section 2.3
        Matrix("token_embd.weight", s.Vocabulary, s.Width, deviation);
        if (!tied)
            Matrix("output.weight", s.Vocabulary, s.Width, deviation);
        for (int i = 0; i < s.Layers; i++)
        {
            Norm($"blk.{i}.attn_norm.weight");
            Matrix($"blk.{i}.attn_q.weight", s.QueryWidth, s.Width, deviation, padded: false);
            Matrix($"blk.{i}.attn_k.weight", s.KeyValueWidth, s.Width, deviation);
            Matrix($"blk.{i}.attn_v.weight", s.KeyValueWidth, s.Width, deviation);
            Matrix($"blk.{i}.attn_output.weight", s.Width, s.QueryWidth, residual);
            Norm($"blk.{i}.ffn_norm.weight");
            Matrix($"blk.{i}.ffn_gate.weight", s.FeedForward, s.Width, deviation);
            Matrix($"blk.{i}.ffn_up.weight", s.FeedForward, s.Width, deviation);
            Matrix($"blk.{i}.ffn_down.weight", s.Width, s.FeedForward, residual);
        }

        Norm("output_norm.weight");
        return offset;

        void Norm(string name)
        {
            if (norms)
                Add(name, 1, s.Width, 0, padded: true);
        }

        void Matrix(string name, int rows, int columns, float spread, bool padded = true)
        {
            if (!norms)
                Add(name, rows, columns, spread, padded);
        }

        void Add(string name, int rows, int columns, float spread, bool padded)
        {
            to.Add(new Parameter(name, rows, columns, offset, spread));
            int count = checked(rows * columns);
            offset = checked(offset + (padded ? (count + Line - 1) / Line * Line : count));
        }
    }

    private BlockWeights BlockOf(int layer)
    {
        Parameter query = Parameters.First(p => p.Name == $"blk.{layer}.attn_q.weight");
        return new BlockWeights(
            View($"blk.{layer}.attn_norm.weight"),
            View(query.Offset, Settings.QueryWidth + Settings.KeyValueWidth, Settings.Width),
            View($"blk.{layer}.attn_v.weight"),
            View($"blk.{layer}.attn_output.weight"),
            View($"blk.{layer}.ffn_norm.weight"),
            View($"blk.{layer}.ffn_gate.weight"),
            View($"blk.{layer}.ffn_up.weight"),
            View($"blk.{layer}.ffn_down.weight"));
    }

    private Tensor View(int offset, int rows, int columns) =>
        Flat.Elements(offset, rows * columns).Reshape(rows, columns);
}
