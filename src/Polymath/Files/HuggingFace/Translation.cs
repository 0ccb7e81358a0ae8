using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>
/// What a family says of one folder: settings under GGUF keys, tensors under GGUF names. Every tensor is sought, and its
/// shape held against the settings, the moment it is named, so that no setting can ask for more than the files hold;
/// what the checkpoint holds besides is refused by name unless the family expects it.
/// </summary>
internal sealed class Translation
{
    private readonly Checkpoint _checkpoint;
    private readonly Dictionary<string, FolderTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _order = [];
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<Func<string, bool>> _expected = [];

    /// <exception cref="ModelFormatException">Settings or tensors make no sense, or one of either is missing or too many.</exception>
    public Translation(Checkpoint checkpoint, JsonFields config, Family family)
    {
        _checkpoint = checkpoint;
        Config = config.Child("text_config", inherit: true) ?? config;
        Class = family.Class;
        family.Translate(this);
        if (checkpoint.Names.FirstOrDefault(name => !_used.Contains(name) && !_expected.Exists(expects => expects(name))) is { } extra)
            throw new ModelFormatException($"{checkpoint.Path}: tensor {FileLimits.Printable(extra)} has no place in a {Architecture} model with these settings");
    }

    /// <summary>Path of the folder.</summary>
    public string Path => _checkpoint.Path;

    /// <summary>config.json, seen from the part about text where it has parts.</summary>
    public JsonFields Config { get; }

    /// <summary>The class that config.json names, such as LlamaForCausalLM.</summary>
    public string Class { get; }

    /// <summary>GGUF's name of the architecture.</summary>
    public string Architecture { get; private set; } = "";

    /// <summary>The settings under GGUF keys.</summary>
    public Metadata Metadata { get; } = new();

    /// <summary>The tensors under GGUF names.</summary>
    public IReadOnlyList<TensorInfo> Tensors => _order;

    /// <summary>The tensor of a GGUF name, or null.</summary>
    public FolderTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Says which architecture follows; the first thing a family does.</summary>
    public void Begin(string architecture)
    {
        Architecture = architecture;
        Metadata.Set("general.architecture", architecture);
        Metadata.Set("general.name", System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(Path))));
    }

    /// <summary>The sizes of a model whose heads have keys and values of their own and whose norms are layer norms.</summary>
    public void SetSizes(int vocabulary, int context, int width, int layers, int inner, int heads, double normEpsilon)
    {
        Set("vocab_size", vocabulary);
        Set("block_count", layers);
        Set("context_length", context);
        Set("embedding_length", width);
        Set("feed_forward_length", inner);
        Set("attention.head_count", heads);
        Set("attention.layer_norm_epsilon", normEpsilon);
    }

    /// <summary>A setting under the architecture's name; null leaves it out, numbers become 32 bits wide.</summary>
    public void Set(string key, object? value)
    {
        if (value is not null)
            Metadata.Set($"{Architecture}.{key}", value switch { int number => (uint)number, double number => (float)number, _ => value });
    }

    /// <summary>True when the checkpoint has a tensor of that name.</summary>
    public bool Has(string source) => _checkpoint.Find(source) is not null;

    /// <summary>Tensors that the checkpoint may hold and that nothing needs.</summary>
    public void Expect(Func<string, bool> name) => _expected.Add(name);

    /// <summary>A matrix of that shape, as stored or after <paramref name="recipe"/>.</summary>
    public void Matrix(string name, string source, int rows, int columns, Recipe? recipe = null) =>
        Add(name, [columns, rows], [source], [rows, columns], recipe);

    /// <summary>A vector of that length, as stored or after <paramref name="recipe"/>.</summary>
    public void Vector(string name, string source, int length, Recipe? recipe = null) =>
        Add(name, [length], [source], [length], recipe);

    /// <summary>A tensor of any shape.</summary>
    /// <param name="name">GGUF name.</param>
    /// <param name="dimensions">Sizes in GGUF order, the row length first.</param>
    /// <param name="sources">Names in the checkpoint.</param>
    /// <param name="shape">Shape that each of the sources must have, outermost first.</param>
    /// <param name="recipe">How the elements follow; null for the same, one source below the other.</param>
    public void Add(string name, long[] dimensions, IEnumerable<string> sources, long[] shape, Recipe? recipe = null)
    {
        StoredTensor[] stored = [.. sources.Select(source => Take(source, shape))];
        TensorFormat type = RequireOneType(stored);
        Add(name, dimensions, stored, type, recipe);
    }

    /// <summary>Experts of gpt-oss: four-bit blocks and their scales.</summary>
    public void Packed(string name, long[] dimensions, string source, long experts, long rows, Recipe recipe)
    {
        long blocks = dimensions[0] / Mxfp4Pack.BlockLength;
        StoredTensor[] stored = [Take(source + "_blocks", [experts, rows, blocks, 16]), Take(source + "_scales", [experts, rows, blocks])];
        foreach (StoredTensor tensor in stored)
        {
            if (tensor.Entry.Type != "U8")
                throw new ModelFormatException($"{Path}: tensor {tensor.Name} is stored as {tensor.Entry.Type}, U8 needed");
        }

        Add(name, dimensions, stored, TensorFormat.F32, recipe);
    }

    /// <summary>A vector that follows from the settings.</summary>
    public void Constant(string name, float[] values) =>
        Put(new FolderTensor(new TensorInfo(name, (int)TensorFormat.F32, [values.Length], 4L * values.Length), [], null)
        {
            Constant = Tensor.From(values, 1, values.Length),
        });

    private void Add(string name, long[] dimensions, StoredTensor[] stored, TensorFormat type, Recipe? recipe)
    {
        UInt128 rows = 1;
        foreach (long size in dimensions.AsSpan(1))
            rows *= (ulong)size;
        if (rows > int.MaxValue || dimensions[0] > int.MaxValue)
            throw new ModelFormatException($"{Path}: tensor {name} is too large");
        int format = recipe?.FormatId(type) ?? (int)(IsKeptExact(name, dimensions.Length) ? TensorFormat.F32 : type);
        long bytes = (long)rows * (dimensions[0] / GgmlTypes.BlockLength(format) * GgmlTypes.BlockBytes(format));
        if (recipe is null && (stored.Length > 1 || format != (int)type))
            recipe = Recipe.Copy;
        Put(new FolderTensor(new TensorInfo(name, format, dimensions, bytes), stored, recipe));
    }

    private void Put(FolderTensor tensor)
    {
        _tensors.Add(tensor.Info.Name, tensor);
        _order.Add(tensor.Info);
    }

    private StoredTensor Take(string source, long[] shape)
    {
        StoredTensor stored = _checkpoint.Find(source) ?? throw new ModelFormatException($"{Path}: tensor {source} is missing");
        if (!stored.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new ModelFormatException(
                $"{stored.File.Path}: tensor {source} is [{string.Join(", ", stored.Shape)}], not [{string.Join(", ", shape)}] as config.json says");
        }

        _used.Add(source);
        return stored;
    }

    private TensorFormat RequireOneType(StoredTensor[] stored)
    {
        foreach (StoredTensor tensor in stored)
        {
            if (tensor.Entry.Format is null)
                throw new ModelFormatException($"{Path}: tensor {tensor.Name} is stored as {tensor.Entry.Type}, which is not supported");
            if (tensor.Entry.Format != stored[0].Entry.Format)
                throw new ModelFormatException($"{Path}: tensor {tensor.Name} is {tensor.Entry.Type} where {stored[0].Name} is {stored[0].Entry.Type}");
        }

        return stored[0].Entry.Format!.Value;
    }

    /// <summary>GGUF files have norms, vectors, biases and a few small tables in F32 whatever the matrices are.</summary>
    private static bool IsKeptExact(string name, int dimensions) =>
        dimensions == 1 || !name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith("_norm.weight", StringComparison.Ordinal)
        || name is "position_embd.weight" or "token_types.weight"
        || name.EndsWith(".ffn_gate_inp.weight", StringComparison.Ordinal) || name.EndsWith(".ffn_gate_inp_shexp.weight", StringComparison.Ordinal)
        || name.EndsWith(".ssm_conv1d.weight", StringComparison.Ordinal);
}
