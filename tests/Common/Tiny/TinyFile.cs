using Polymath.Files;
using Polymath.Generation;
using Polymath.Tensors;

namespace Polymath.Tiny;

/// <summary>
/// A model file of a few thousand random weights, the same at every run: metadata and tensors as an architecture names
/// them, so that the reference engine loads the very same file.
/// </summary>
internal sealed class TinyFile
{
    /// <summary>V.</summary>
    public const int Vocabulary = 96;

    /// <summary>D.</summary>
    public const int Width = 64;

    private readonly string _architecture;
    private RandomSource _random = new(7);   // a mutable struct
    private readonly Metadata _metadata = new();
    private readonly List<GgufWriter.Entry> _tensors = [];

    /// <summary>Begins a file with what every architecture has.</summary>
    /// <param name="architecture">general.architecture.</param>
    /// <param name="layers">Blocks.</param>
    /// <param name="heads">H.</param>
    /// <param name="keyValueHeads">K.</param>
    /// <param name="feedForward">F; 0 writes none.</param>
    public TinyFile(string architecture, int layers = 2, int heads = 4, int keyValueHeads = 2, int feedForward = 96)
    {
        _architecture = architecture;
        _metadata.Set("general.architecture", architecture);
        _metadata.Set("general.name", $"tiny random {architecture}");
        _metadata.Set("tokenizer.ggml.model", "no_vocab");
        Set("vocab_size", (uint)Vocabulary);
        Set("block_count", (uint)layers);
        Set("context_length", 256u);
        Set("embedding_length", (uint)Width);
        Set("attention.head_count", (uint)heads);
        Set("attention.head_count_kv", (uint)keyValueHeads);
        if (feedForward > 0)
            Set("feed_forward_length", (uint)feedForward);
    }

    /// <summary>Sets {architecture}.{key}.</summary>
    public TinyFile Set(string key, object value)
    {
        _metadata.Set($"{_architecture}.{key}", value);
        return this;
    }

    /// <summary>Sets a key that does not begin with the architecture.</summary>
    public TinyFile SetGlobal(string key, object value)
    {
        _metadata.Set(key, value);
        return this;
    }

    /// <summary>
    /// Adds an F32 tensor of random values: around <paramref name="mean"/> with the given deviation. Dimensions in GGUF
    /// order, the row length first.
    /// </summary>
    public TinyFile Add(string name, int[] dimensions, double deviation = 0.15, double mean = 0)
    {
        int columns = dimensions[0], rows = dimensions.Skip(1).Aggregate(1, (product, size) => product * size);
        Tensor tensor = Tensor.Zeros(rows, columns);
        foreach (ref float value in tensor.AsFloats())
            value = (float)(mean + (deviation * _random.NextNormal()));
        _tensors.Add(new GgufWriter.Entry(name, [.. dimensions.Select(d => (long)d)], tensor));
        return this;
    }

    /// <summary>Adds name.weight [rows, columns] and, if asked, name.bias [rows].</summary>
    public TinyFile Matrix(string name, int rows, int columns, bool bias = false)
    {
        Add(name + ".weight", [columns, rows]);
        return bias ? Add(name + ".bias", [rows], 0.3) : this;
    }

    /// <summary>Adds name.weight [length] around one and, if asked, name.bias.</summary>
    public TinyFile Norm(string name, int length = Width, bool bias = false)
    {
        Add(name + ".weight", [length], 0.2, 1);
        return bias ? Add(name + ".bias", [length], 0.2) : this;
    }

    /// <summary>Adds a vocabulary: a token for each printable character of ASCII, and one that begins and ends texts.</summary>
    public TinyFile WithVocabulary(bool addsBegin)
    {
        const uint Special = Vocabulary - 1;
        string[] tokens = [.. Enumerable.Range('!', Vocabulary - 2).Select(c => ((char)c).ToString()), "\u0120", "<|endoftext|>"];
        return SetGlobal("general.name", "tiny random model")   // the reference wants certain tokens of a model that is called phi3
            .SetGlobal("tokenizer.ggml.model", "gpt2").SetGlobal("tokenizer.ggml.pre", "gpt-2")
            .SetGlobal("tokenizer.ggml.tokens", tokens)
            .SetGlobal("tokenizer.ggml.token_type", Enumerable.Repeat(1, Vocabulary - 1).Append(3).ToArray())
            .SetGlobal("tokenizer.ggml.merges", Array.Empty<string>())
            .SetGlobal("tokenizer.ggml.bos_token_id", Special).SetGlobal("tokenizer.ggml.eos_token_id", Special)
            .SetGlobal("tokenizer.ggml.unknown_token_id", Special)
            .SetGlobal("tokenizer.ggml.add_bos_token", addsBegin);
    }

    /// <summary>Writes the file.</summary>
    public void Write(string path) => GgufWriter.Write(path, _metadata, _tensors);
}
