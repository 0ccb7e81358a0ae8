using System.Globalization;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A model in several GGUF files, NAME-00001-of-0000N.gguf and so on, opened by any of them. The first part holds the
/// settings; every part says which it is, of how many, and how many tensors all hold together. Parts are sought
/// beside the one that was named, and nowhere else.
/// </summary>
public sealed class SplitGguf : WeightSource
{
    /// <summary>Most parts of a model; each of them is an open file.</summary>
    public const int MaxParts = 1_024;

    private const string Number = "split.no", Count = "split.count", TensorCount = "split.tensors.count";

    private readonly List<GgufFile> _parts = [];
    private readonly Dictionary<string, GgufFile> _index = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _tensors = [];

    private SplitGguf(IEnumerable<GgufFile> parts)
    {
        try
        {
            foreach (GgufFile part in parts)
            {
                _parts.Add(part);
                Take(part);
            }

            CheckTensorCount();
            Metadata = SettingsOf(_parts[0]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Path of the first part.</summary>
    public override string Path => _parts[0].Path;

    /// <summary>The settings of the first part, without those that number the parts.</summary>
    public override Metadata Metadata { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    /// <summary>The parts in order.</summary>
    public IReadOnlyList<GgufFile> Parts => _parts;

    /// <summary>
    /// The file itself, or where it says that it is one of several parts, all of them; it is disposed with them or if
    /// opening them fails.
    /// </summary>
    /// <exception cref="ModelFormatException">A part is missing, damaged, or of another model.</exception>
    internal static WeightSource Join(GgufFile any, bool mapped)
    {
        try
        {
            return any.Metadata.GetInt32(Count, 1) > 1 ? new SplitGguf(OpenAll(any, PathsOf(any), mapped)) : any;
        }
        catch
        {
            any.Dispose();
            throw;
        }
    }

    /// <summary>The file name of part <paramref name="number"/>, counted from 0.</summary>
    internal static string NameOf(string prefix, int number, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number + 1:00000}-of-{count:00000}.gguf");

    /// <inheritdoc/>
    public override bool Contains(string name) => _index.ContainsKey(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns) => _index.TryGetValue(name, out GgufFile? part)
        ? part.Read(name, rows, columns)
        : throw new ModelFormatException($"{Path}: tensor {name} is missing");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        foreach (GgufFile part in _parts)
            part.Dispose();
    }

    /// <summary>Paths of all parts, checked to be there before the first of them is opened.</summary>
    private static string[] PathsOf(GgufFile any)
    {
        int count = Field(any, Count, 1, MaxParts), number = Field(any, Number, 0, count - 1);
        string folder = System.IO.Path.GetDirectoryName(any.Path) ?? "", file = System.IO.Path.GetFileName(any.Path);
        string ending = NameOf("", number, count);
        if (!file.EndsWith(ending, StringComparison.Ordinal))
            throw new ModelFormatException($"{any.Path}: part {number + 1} of {count} of a model must be named …{ending} for the others to be found");
        string prefix = file[..^ending.Length];
        var paths = new string[count];
        for (int i = 0; i < count; i++)
        {
            paths[i] = i == number ? any.Path : System.IO.Path.Combine(folder, NameOf(prefix, i, count));
            if (!File.Exists(paths[i]))
                throw new ModelFormatException($"{any.Path}: part {i + 1} of {count}, {NameOf(prefix, i, count)}, is missing beside it");
        }

        return paths;
    }

    private static IEnumerable<GgufFile> OpenAll(GgufFile any, string[] paths, bool mapped)
    {
        long allowance = any.Allowance;
        for (int i = 0; i < paths.Length; i++)
        {
            GgufFile part = any;
            if (paths[i] != any.Path)
            {
                part = GgufFile.Open(FileImage.Open(paths[i], mapped), allowance);
                allowance = part.Allowance;
            }

            yield return part;
        }
    }

    private static int Field(GgufFile part, string key, int least, int most)
    {
        int value = part.Metadata.GetInt32(key, -1);
        return value >= least && value <= most
            ? value
            : throw new ModelFormatException(value < 0
                ? $"{part.Path}: metadata key {key} is missing or negative"
                : $"{part.Path}: metadata key {key} is {value}; {least} to {most} is possible");
    }

    private static Metadata SettingsOf(GgufFile first)
    {
        var metadata = new Metadata();
        foreach ((string key, MetadataValue value) in first.Metadata)
        {
            if (key is not (Number or Count or TensorCount))
                metadata.Set(key, value);
        }

        return metadata;
    }

    private void Take(GgufFile part)
    {
        GgufFile first = _parts[0];
        Same(part, Count, Field(part, Count, 1, MaxParts), Field(first, Count, 1, MaxParts));
        Same(part, Number, Field(part, Number, 0, MaxParts), _parts.Count - 1);
        Same(part, TensorCount, Field(part, TensorCount, 0, FileLimits.Tensors), Field(first, TensorCount, 0, FileLimits.Tensors));
        if (part.Metadata.GetString("general.architecture") is { } architecture && architecture != first.Metadata.GetString("general.architecture"))
            throw new ModelFormatException($"{part.Path}: its architecture is {FileLimits.Printable(architecture)}, not that of the first part");
        if (_tensors.Count + part.Tensors.Count > FileLimits.Tensors)
            throw new ModelFormatException($"{part.Path}: more than {FileLimits.Tensors} tensors in all parts");
        foreach (TensorInfo tensor in part.Tensors)
        {
            if (!_index.TryAdd(tensor.Name, part))
                throw new ModelFormatException($"{part.Path}: tensor {FileLimits.Printable(tensor.Name)} is in {_index[tensor.Name].Path} already");
            _tensors.Add(tensor);
        }
    }

    private static void Same(GgufFile part, string key, int found, int expected)
    {
        if (found != expected)
            throw new ModelFormatException($"{part.Path}: metadata key {key} is {found} where the other parts need {expected}; is it of another model?");
    }

    private void CheckTensorCount()
    {
        int expected = Field(_parts[0], TensorCount, 0, FileLimits.Tensors);
        if (_tensors.Count != expected)
            throw new ModelFormatException($"{Path}: {_tensors.Count} tensors in all parts where {TensorCount} says {expected}");
    }
}
