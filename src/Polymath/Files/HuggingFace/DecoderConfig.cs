namespace Polymath.Files.HuggingFace;

/// <summary>
/// The sizes that every decoder with a query, key and value projection has, read from config.json, checked, and set under
/// GGUF keys. Where they all are the same, families differ in the defaults and in what they add.
/// </summary>
internal sealed class DecoderConfig
{
    /// <summary>Most of anything that is a width or a count of rows.</summary>
    public const int MostWidth = 1 << 24;

    private const int MostHeads = 1 << 16;

    private readonly Translation _model;
    private readonly JsonFields _json;

    public DecoderConfig(Translation model, DecoderDefaults defaults)
    {
        _model = model;
        _json = model.Config;
        RefuseWhatIsNotComputed(model, defaults.Activations, defaults.Quantization);
        Width = _json.Int32("hidden_size", 1, MostWidth);
        FeedForward = _json.Int32("intermediate_size", 1, MostWidth);
        Layers = _json.Int32("num_hidden_layers", 1, FileLimits.Layers);
        Vocabulary = _json.Int32("vocab_size", 1, MostWidth, defaults.Vocabulary);
        Heads = _json.Int32("num_attention_heads", 1, MostHeads, defaults.Heads);
        KeyValueHeads = _json.Int32("num_key_value_heads", 1, Heads, defaults.KeyValueHeads ?? Heads);
        if (Heads % KeyValueHeads != 0)
            throw _json.Bad("num_key_value_heads", $"{KeyValueHeads} does not divide the {Heads} heads");
        HeadWidth = ReadHeadWidth(defaults);
        Context = _json.Int32("max_position_embeddings", 1, int.MaxValue, defaults.Context);
        NormEpsilon = _json.Positive(defaults.NormField, defaults.NormEpsilon);
        Tied = _json.Bool("tie_word_embeddings", defaults.Tied);
        Rope = _json.Child("rope_scaling", inherit: true) ?? _json.Child("rope_parameters", inherit: true);
        RopeBase = Rope?.Positive("rope_theta", defaults.RopeBase) ?? _json.Positive("rope_theta", defaults.RopeBase);
        Body = FindBody();
    }

    /// <summary>D, the width of the residual stream.</summary>
    public int Width { get; }

    public int FeedForward { get; }

    public int Layers { get; }

    /// <summary>V.</summary>
    public int Vocabulary { get; }

    /// <summary>H.</summary>
    public int Heads { get; }

    /// <summary>K, a divisor of H.</summary>
    public int KeyValueHeads { get; }

    /// <summary>Elements of one head's query, key or value; even.</summary>
    public int HeadWidth { get; }

    /// <summary>Positions the model was trained for.</summary>
    public int Context { get; private set; }

    public double NormEpsilon { get; }

    public double RopeBase { get; }

    /// <summary>What config.json says of rotary positions, with what it says outside of that object; null for nothing.</summary>
    public JsonFields? Rope { get; }

    /// <summary>True when the output matrix is the embedding.</summary>
    public bool Tied { get; }

    /// <summary>What the names of all tensors but the head begin with.</summary>
    public string Body { get; }

    public int QueryWidth => Heads * HeadWidth;

    public int KeyValueWidth => KeyValueHeads * HeadWidth;

    /// <summary>
    /// For an architecture that has no window in GGUF: a sliding window leaves texts up to its own length untouched, so
    /// it bounds the context.
    /// </summary>
    public void BoundBySlidingWindow(int? fallback = null)
    {
        if (!_json.IsNull("sliding_window") && (_json.Has("sliding_window") || fallback is not null))
            Context = Math.Min(Context, _json.Int32("sliding_window", 1, int.MaxValue, fallback));
    }

    /// <summary>Sets all keys.</summary>
    /// <param name="defaults">What the keys are named.</param>
    /// <param name="rope">False where the family says itself how positions turn.</param>
    public void Write(DecoderDefaults defaults, bool rope = true)
    {
        _model.Set("vocab_size", Vocabulary);
        _model.Set("context_length", Context);
        _model.Set("embedding_length", Width);
        _model.Set("block_count", Layers);
        _model.Set("feed_forward_length", FeedForward);
        _model.Set("attention.head_count", Heads);
        _model.Set("attention.head_count_kv", KeyValueHeads);
        if (defaults.HasHeadWidth)
        {
            _model.Set("attention.key_length", HeadWidth);
            _model.Set("attention.value_length", HeadWidth);
        }

        _model.Set(defaults.NormKey, NormEpsilon);
        _model.Set("rope.freq_base", RopeBase);
        if (rope)
        {
            if (_json.Positive("partial_rotary_factor", Rope?.Positive("partial_rotary_factor", 1) ?? 1) != 1)
                throw _json.Bad("partial_rotary_factor", "only 1 is supported");
            RopeScaling.Read(Rope, Context).Write(_model, RopeBase, HeadWidth);
        }

        WriteSpecialTokens(_model, Vocabulary);
    }

    /// <summary>Sets the ids that begin and end a text, where config.json names them.</summary>
    public static void WriteSpecialTokens(Translation model, int vocabulary)
    {
        if (model.Config.TokenId("bos_token_id", vocabulary) is { } begin)
            model.Metadata.Set("tokenizer.ggml.bos_token_id", (uint)begin);
        if (model.Config.TokenId("eos_token_id", vocabulary) is { } end)
            model.Metadata.Set("tokenizer.ggml.eos_token_id", (uint)end);
    }

    /// <summary>Settings that would change the result and that no engine of this architecture computes.</summary>
    public static void RefuseWhatIsNotComputed(Translation model, string[] activations, string? quantization = null)
    {
        JsonFields json = model.Config;
        string field = json.Has("hidden_activation") ? "hidden_activation" : json.Has("activation_function") ? "activation_function" : "hidden_act";
        if (json.Text(field) is { } act && !activations.Contains(act))
            throw json.Bad(field, $"{FileLimits.Printable(act)} is not supported, only {activations[0]}");
        if (json.Child("quantization_config") is { } stored && (quantization is null || stored.Text("quant_method") != quantization))
            throw json.Bad("quantization_config", "quantised Hugging Face models are not supported");
    }

    private int ReadHeadWidth(DecoderDefaults defaults)
    {
        int? fallback = defaults.HeadWidth;
        bool given = defaults.HasHeadWidth && _json.Has("head_dim");
        if (!given && fallback is null && Width % Heads != 0)
            throw _json.Bad("hidden_size", $"{Width} is no multiple of the {Heads} heads");
        int width = given ? _json.Int32("head_dim", 2, MostHeads) : fallback ?? (Width / Heads);
        if (width % 2 != 0 || width == 0 || (long)width * Heads > MostWidth)
            throw _json.Bad("head_dim", $"{width} is odd or too large for {Heads} heads");
        return width;
    }

    /// <summary>The last norm is in every checkpoint; models that also see have the text model inside of another.</summary>
    private string FindBody()
    {
        string[] bodies = ["model.", "model.language_model.", "language_model.model.", "language_model.", ""];
        return Array.Find(bodies, body => _model.Has(body + "norm.weight")) ?? bodies[0];
    }
}
