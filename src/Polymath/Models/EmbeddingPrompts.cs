using Polymath.Files;

namespace Polymath.Models;

/// <summary>
/// The texts that an embedding model was trained to see before queries, documents and the like, by the names the makers of
/// the model gave them.
/// </summary>
public sealed class EmbeddingPrompts
{
    private static readonly string[] s_ofQueries = ["query"], s_ofDocuments = ["document", "passage", "corpus"];

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly string? _default;

    private EmbeddingPrompts(IEnumerable<(string Name, string Text)> prompts, string? name)
    {
        foreach ((string called, string text) in prompts)
            _texts[called] = text;
        _default = name;
    }

    /// <summary>Their names.</summary>
    public IReadOnlyCollection<string> Names => _texts.Keys;

    /// <summary>What stands before a text of no special kind; empty where the model names no default.</summary>
    public string Default => _default is null ? "" : _texts[_default];

    /// <summary>What stands before a query: the prompt of that name, else the default.</summary>
    public string Query => FirstOf(s_ofQueries);

    /// <summary>What stands before a document: the prompt called document, passage or corpus, else the default.</summary>
    public string Document => FirstOf(s_ofDocuments);

    /// <summary>The prompt of that name, or null where there is none.</summary>
    public string? Find(string name) => _texts.GetValueOrDefault(name);

    /// <summary>Reads {architecture}.prompt.names, .texts and .default; none of them need be there.</summary>
    /// <exception cref="ModelFormatException">Not as many texts as names, or a default that is not among them.</exception>
    internal static EmbeddingPrompts Read(WeightSource source)
    {
        string prefix = $"{source.Architecture}.prompt.";
        string[] names = source.Metadata.GetArray<string>(prefix + "names") ?? [], texts = source.Metadata.GetArray<string>(prefix + "texts") ?? [];
        if (names.Length != texts.Length)
            throw new ModelFormatException($"{source.Path}: {prefix}names has {names.Length} entries, {prefix}texts {texts.Length}");
        string? name = source.Metadata.GetString(prefix + "default");
        return name is null || names.Contains(name) ? new EmbeddingPrompts(names.Zip(texts), name)
            : throw new ModelFormatException($"{source.Path}: {prefix}default names no prompt");
    }

    private string FirstOf(string[] names) => names.Select(Find).FirstOrDefault(text => text is not null) ?? Default;
}
