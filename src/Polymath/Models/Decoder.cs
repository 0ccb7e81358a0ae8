using Polymath.Files;
using Polymath.Models.Architectures;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>The weights of one decoder architecture and its forward pass. Immutable; sessions bring the state.</summary>
public abstract class Decoder : LayeredModel
{
    // To add an architecture: one file in Architectures/ and one line here.
    private static readonly Dictionary<string, Func<WeightReader, Decoder>> Registry = new(StringComparer.Ordinal)
    {
        ["gemma2"] = weights => new Gemma2(weights),
        ["gemma3"] = weights => new Gemma3(weights),
        ["gpt-oss"] = weights => new GptOss(weights),
        ["gpt2"] = weights => new Gpt2(weights),
        ["granite"] = weights => new Granite(weights),
        ["granitemoe"] = weights => new Granite(weights),
        ["llama"] = weights => new Llama(weights),
        ["olmo2"] = weights => new Olmo2(weights),
        ["phi3"] = weights => new Phi3(weights),
        ["qwen2"] = weights => new Qwen2(weights),
        ["qwen3"] = weights => new Qwen3(weights),
        ["qwen35"] = weights => new Qwen35(weights),
        ["qwen35moe"] = weights => new Qwen35(weights),
        ["qwen3moe"] = weights => new Qwen3Moe(weights),
        ["qwen3next"] = weights => new Qwen3Next(weights),
        ["smollm3"] = weights => new SmolLm3(weights),
        ["starcoder2"] = weights => new StarCoder2(weights),
    };

    private CacheLayer[]? _cacheLayers;

    /// <summary>Reads what every decoder has: embedding, last norm, head, rotations.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="ropes">The rotations that layers name by index; none: one, as the metadata says.</param>
    private protected Decoder(WeightReader weights, params RopeSettings[] ropes)
        : base(weights, ropes.Length > 0 ? ropes : [RopeSettings.Read(weights)])
    {
        ModelSettings s = Settings;
        OutputNorm = weights.Vector("output_norm.weight", s.Width);
        Output = weights.Contains("output.weight") ? weights.Linear("output", s.Vocabulary, s.Width) : weights.Prepare(new Linear(TokenEmbd));
    }

    /// <summary>Names of the architectures that can be loaded.</summary>
    public static IReadOnlyCollection<string> Supported => Registry.Keys;

    /// <summary>Most tokens of a text, for models that have no vectors for positions beyond.</summary>
    public virtual int MaxContext => int.MaxValue;

    /// <summary>[1, D].</summary>
    protected Tensor OutputNorm { get; }

    /// <summary>[V, D]; the embedding where the model ties the two.</summary>
    protected internal Linear Output { get; }

    /// <summary>What each layer keeps of the tokens seen.</summary>
    internal IReadOnlyList<CacheLayer> CacheLayers =>
        _cacheLayers ??= [.. Enumerable.Range(0, Settings.Layers).Select(CacheOf)];

    /// <summary>Reads the weights of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="team">Threads that rearrange weights to be read fast; null to leave them as they are stored.</param>
    /// <exception cref="ModelFormatException">Unknown architecture, or weights that are missing or misshapen.</exception>
    public static Decoder Load(WeightSource source, ThreadTeam? team = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Registry.TryGetValue(source.Architecture, out Func<WeightReader, Decoder>? load)
            ? load(new WeightReader(source, team))
            : throw new ModelFormatException(
                Encoder.Supported.Contains(source.Architecture)
                    ? $"{source.Path}: \"{source.Architecture}\" is an encoder; it embeds or ranks texts, it does not write"
                    : $"{source.Path}: architecture \"{source.Architecture}\" is not supported; supported: "
                        + $"{string.Join(", ", Registry.Keys)}; to embed or rank: {string.Join(", ", Encoder.Supported)}");
    }

    /// <summary>Logits of the hidden states [T, D] into <paramref name="logits"/> [T, V].</summary>
    public virtual void Head(Pass pass, Tensor hidden, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(pass);
        pass.LinearInto(hidden, Output, logits);
    }

    /// <summary>Tokens that a session of that kind holds.</summary>
    /// <exception cref="ArgumentException">Less than none, or more than the model has positions for.</exception>
    internal int ContextOf(SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ContextLength);
        int context = options.ContextLength > 0 ? options.ContextLength : Math.Min(Settings.ContextLength, Model.DefaultContext);
        return context <= MaxContext
            ? context
            : throw new ArgumentException($"a context of {context} tokens; the model has positions for {MaxContext}", nameof(options));
    }

    /// <inheritdoc/>
    private protected override Tensor FinalNorm(Pass p, Tensor x) => p.RmsNorm(x, OutputNorm);

    /// <summary>What <paramref name="layer"/> keeps of the tokens seen.</summary>
    private protected abstract CacheLayer CacheOf(int layer);
}
