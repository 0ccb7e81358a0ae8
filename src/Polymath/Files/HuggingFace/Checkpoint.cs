namespace Polymath.Files.HuggingFace;

/// <summary>All tensors of a folder's safetensors files under their own names: one file, or several with an index.</summary>
internal sealed class Checkpoint : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string path, IEnumerable<SafetensorsFile> files, Dictionary<string, string>? index)
    {
        Path = path;
        try
        {
            foreach (SafetensorsFile file in files)
                _files.Add(file);
            Collect(index);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Path of the folder.</summary>
    public string Path { get; }

    /// <summary>Names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Opens model.safetensors, or what model.safetensors.index.json names.</summary>
    /// <exception cref="ModelFormatException">Neither is there, or a file is damaged or hostile.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static Checkpoint Open(string path, bool mapped)
    {
        string single = System.IO.Path.Combine(path, "model.safetensors");
        if (File.Exists(single))
            return Of(path, SafetensorsFile.Open(single, mapped));
        string indexPath = System.IO.Path.Combine(path, "model.safetensors.index.json");
        if (!File.Exists(indexPath))
            throw new ModelFormatException($"{path}: neither model.safetensors nor model.safetensors.index.json is there");
        Dictionary<string, string> index = ShardIndex.Parse(indexPath, SmallFile.Read(indexPath, ShardIndex.FileBytes));
        return new Checkpoint(path, OpenShards(path, index, mapped), index);
    }

    /// <summary>The tensors of one file that is open already; it is disposed with the checkpoint.</summary>
    public static Checkpoint Of(string path, SafetensorsFile file) => new(path, [file], null);

    /// <summary>The tensor of that name, or null.</summary>
    public StoredTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
    }

    private static IEnumerable<SafetensorsFile> OpenShards(string path, Dictionary<string, string> index, bool mapped)
    {
        foreach (string shard in index.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            string file = System.IO.Path.Combine(path, shard);
            if (!File.Exists(file))
                throw new ModelFormatException($"{path}: the file {FileLimits.Printable(shard)} that the index names is missing");
            yield return SafetensorsFile.Open(file, mapped);
        }
    }

    /// <summary>Takes each tensor from the file that the index names.</summary>
    private void Collect(Dictionary<string, string>? index)
    {
        foreach (SafetensorsFile file in _files)
        {
            string shard = System.IO.Path.GetFileName(file.Path);
            foreach ((string name, SafetensorsFile.Entry entry) in file.Entries)
            {
                if (index is null || (index.TryGetValue(name, out string? named) && named == shard))
                    _tensors.Add(name, new StoredTensor(file, entry));
            }
        }

        if (index is not null && _tensors.Count != index.Count)
        {
            string lost = index.Keys.First(name => !_tensors.ContainsKey(name));
            throw new ModelFormatException($"{Path}: tensor {FileLimits.Printable(lost)} is not in the file that the index names");
        }
    }
}
