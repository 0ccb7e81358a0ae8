namespace Polymath.Files.HuggingFace.Families;

/// <summary>The gated delta net of Qwen 3.5 and Qwen3-Next: its settings, the layers that have it, the tensors both share.</summary>
internal sealed class DeltaNet
{
    /// <summary>What the norms of these models store is added to one, except the delta net's own.</summary>
    public static readonly DecoderDefaults Defaults = new() { HeadWidth = 256, Context = 32_768, RopeBase = 10_000_000 };

    private readonly Translation _model;
    private readonly DecoderConfig _config;
    private readonly bool[] _recurrent;
    private readonly int _kernel;

    /// <summary>Reads and sets the settings.</summary>
    public DeltaNet(Translation model, DecoderConfig config)
    {
        _model = model;
        _config = config;
        JsonFields json = model.Config;
        _kernel = json.Int32("linear_conv_kernel_dim", 1, 1 << 10, 4);
        KeyHead = json.Int32("linear_key_head_dim", 1, 1 << 14, 128);
        ValueHead = json.Int32("linear_value_head_dim", 1, 1 << 14, 128);
        KeyHeads = json.Int32("linear_num_key_heads", 1, 1 << 10, 16);
        ValueHeads = json.Int32("linear_num_value_heads", 1, 1 << 10, 32);
        if (ValueHeads % KeyHeads != 0)
            throw json.Bad("linear_num_value_heads", $"{KeyHeads} key heads do not divide the {ValueHeads} value heads");
        if (KeyHead != ValueHead)
            throw json.Bad("linear_value_head_dim", $"heads of keys and values as wide as each other are supported, not {KeyHead} and {ValueHead}");
        int interval = json.Int32("full_attention_interval", 1, FileLimits.Layers, 4);
        _recurrent = ReadLayers(json, interval);
        model.Set("ssm.conv_kernel", _kernel);
        model.Set("ssm.state_size", KeyHead);
        model.Set("ssm.group_count", KeyHeads);
        model.Set("ssm.time_step_rank", ValueHeads);
        model.Set("ssm.inner_size", ValueWidth);
        if (json.Has("layer_types"))
            model.Set("attention.recurrent_layers", _recurrent);
        model.Set("full_attention_interval", interval);
        model.Set("rope.dimension_count", Phi3.RotatedWidth(config.Rope ?? json, config, fallback: 0.25));
    }

    /// <summary>Elements of one head's key.</summary>
    public int KeyHead { get; }

    /// <summary>Elements of one head's value.</summary>
    public int ValueHead { get; }

    public int KeyHeads { get; }

    /// <summary>A multiple of the key heads.</summary>
    public int ValueHeads { get; }

    public int KeyWidth => KeyHeads * KeyHead;

    public int ValueWidth => ValueHeads * ValueHead;

    /// <summary>Rows of query, key and value together.</summary>
    public int MixedWidth => (2 * KeyWidth) + ValueWidth;

    /// <summary>True for a layer with a delta net in the place of attention.</summary>
    public bool IsIn(int layer) => _recurrent[layer];

    /// <summary>The norms of a layer, and its attention where it has one: queries come with a gate as wide as they are.</summary>
    public void Layer(DecoderTensors tensors, int layer)
    {
        tensors.Norm(layer, "attn_norm", "input_layernorm");
        tensors.Norm(layer, "post_attention_norm", "post_attention_layernorm");
        if (IsIn(layer))
            return;
        bool bias = _model.Config.Bool("attention_bias");
        tensors.Attention(layer, bias, bias, 2 * _config.QueryWidth);
        tensors.HeadNorms(layer);
    }

    /// <summary>What both delta nets have besides their projections.</summary>
    /// <param name="tensors">The names.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="order">For a row of values its row in the checkpoint; null for the same.</param>
    /// <param name="heads">The same for a value head.</param>
    public void Rest(DecoderTensors tensors, int layer, Func<int, int>? order, Func<int, int>? heads)
    {
        string to = DecoderTensors.To(layer), from = tensors.From(layer) + "linear_attn.";
        _model.Add(to + "ssm_conv1d.weight", [_kernel, MixedWidth], [from + "conv1d.weight"], [MixedWidth, 1, _kernel],
            order is null ? null : new Gather { Row = row => row < 2 * KeyWidth ? row : (2 * KeyWidth) + order(row - (2 * KeyWidth)) });
        _model.Vector(to + "ssm_dt.bias", from + "dt_bias", ValueHeads, heads is null ? null : new Gather { Column = heads });
        _model.Vector(to + "ssm_a", from + "A_log", ValueHeads, new Gather { Column = heads, Value = x => -MathF.Exp(x) });
        _model.Vector(to + "ssm_norm.weight", from + "norm.weight", ValueHead);
        _model.Matrix(to + "ssm_out.weight", from + "out_proj.weight", _config.Width, ValueWidth, order is null ? null : new Gather { Column = order });
    }

    /// <summary>Layers that predict further tokens, and eyes, are left out.</summary>
    public static void ExpectExtras(Translation model)
    {
        string[] extras = ["mtp.", "model.mtp.", "model.visual.", "visual."];
        model.Expect(name => Array.Exists(extras, extra => name.StartsWith(extra, StringComparison.Ordinal)));
    }

    private bool[] ReadLayers(JsonFields json, int interval)
    {
        if (json.Texts("layer_types", json.Has("layer_types") ? _config.Layers : 0) is not { } types)
            return [.. Enumerable.Range(0, _config.Layers).Select(layer => (layer + 1) % interval != 0)];
        return [.. types.Select(type => type switch
        {
            "linear_attention" => true,
            "full_attention" => false,
            _ => throw json.Bad("layer_types", $"{FileLimits.Printable(type)} is not supported"),
        })];
    }
}
