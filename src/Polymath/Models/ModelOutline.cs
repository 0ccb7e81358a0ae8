using Polymath.Files;
using Polymath.Models.Layers;

namespace Polymath.Models;

/// <summary>
/// A model known from its metadata and tensor list, checked as loading checks them, but without taking memory for
/// weights: what it needs of a machine, and what a token reads. Decoders and encoders.
/// </summary>
public sealed class ModelOutline
{
    private const int ContextStep = 256;   // granularity of the contexts that are proposed

    private readonly LayeredModel _model;
    private readonly long _mapped, _made;  // bytes of weights
    private readonly long _perToken;       // bytes of weights that one token reads

    private ModelOutline(LayeredModel model, WeightSource source, IReadOnlyCollection<TensorInfo> tensors)
    {
        _model = model;
        (long made, long forgotten) = model.Rearranged;
        _mapped = Math.Max(0, tensors.Where(t => !source.IsMade(t.Name)).Sum(t => t.ByteLength) - forgotten);
        _made = tensors.Where(t => source.IsMade(t.Name)).Sum(t => t.ByteLength) + made;
        bool tied = !source.Contains("output.weight");
        _perToken = tensors.Sum(t => ReadPerToken(t, tied));
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings => _model.Settings;

    /// <summary>True for a decoder, which writes; false for an encoder, which embeds or ranks.</summary>
    public bool Writes => _model is Decoder;

    /// <summary>Prompt tokens that go through the layers together.</summary>
    public int BatchSize { get; private init; } = new ModelOptions().BatchSize;

    /// <summary>True when this engine knows the architecture.</summary>
    public static bool Supports(string architecture) => Decoder.Supported.Contains(architecture) || Encoder.Supported.Contains(architecture);

    /// <summary>Reads the outline of <paramref name="source"/>, which must stay open as long as it is used.</summary>
    /// <exception cref="ModelFormatException">What loading would refuse.</exception>
    public static ModelOutline Read(WeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var outline = new WeightOutline(source);
        LayeredModel model = (LayeredModel?)Encoder.TryLoad(outline) ?? Decoder.Load(outline);
        return new ModelOutline(model, source, outline.TensorsRead);
    }

    /// <summary>Tokens of a session of that kind; of an encoder, of its longest text.</summary>
    /// <exception cref="ArgumentException">More than the model has positions for.</exception>
    public int ContextOf(SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _model is Decoder decoder ? decoder.ContextOf(options)
            : options.ContextLength <= Settings.ContextLength ? options.ContextLength > 0 ? options.ContextLength : Settings.ContextLength
            : throw new ArgumentException($"a context of {options.ContextLength} tokens; the model has positions for {Settings.ContextLength}", nameof(options));
    }

    /// <summary>What the model and one session of that kind take.</summary>
    /// <exception cref="ArgumentException">The model's heads do not fill whole blocks of a cache format, or it has no such positions.</exception>
    public MemoryNeed NeedOf(SessionOptions options)
    {
        if (_model is Decoder decoder)
            return MemoryNeed.OfSession(decoder, BatchSize, options) with { Mapped = _mapped, Made = _made };
        int context = ContextOf(options), tokens = Math.Max(context, new TextEncoderOptions().BatchTokens);
        return new MemoryNeed(_mapped, _made, 0, MemoryNeed.Bounded(() => checked(_model.ScratchBytes(tokens) + _model.RopeBytes(context))));
    }

    /// <summary>
    /// Bytes that are read to write one token after <paramref name="position"/> others: all weights but the embedding's
    /// other rows and the experts that are not used, and the cache. Memory bandwidth over this bounds the speed.
    /// </summary>
    public long BytesPerToken(int position, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _perToken + (_model is Decoder decoder
            ? KvPool.BytesRead(decoder.CacheLayers, position, options.KeyFormat, options.ValueFormat) : 0);
    }

    /// <summary>The longest context, no longer than <paramref name="options"/> ask, with which all fits <paramref name="bytes"/>; 0 for none.</summary>
    public int LargestContext(SessionOptions options, long bytes)
    {
        int low = 0, high = ContextOf(options);
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            if (NeedOf(options with { ContextLength = middle }).Total <= bytes)
                low = middle;
            else
                high = middle - 1;
        }

        return low == ContextOf(options) ? low : low / ContextStep * ContextStep;
    }

    private long ReadPerToken(TensorInfo tensor, bool tied)
    {
        long rows = Math.Max(1, tensor.ElementCount / Math.Max(1, tensor.Dimensions[0]));
        return tensor.Name switch
        {
            "token_embd.weight" => (tensor.ByteLength / rows) + (tied && Writes ? tensor.ByteLength : 0),
            "position_embd.weight" or "token_types.weight" => tensor.ByteLength / rows,
            var name when name.StartsWith("rope_", StringComparison.Ordinal) => 0,   // became a table at loading
            var name when name.Contains("_exps.", StringComparison.Ordinal) && Settings.Experts > 0 =>
                (long)((Int128)tensor.ByteLength * Settings.ExpertsUsed / Settings.Experts),
            _ => tensor.ByteLength,
        };
    }
}
