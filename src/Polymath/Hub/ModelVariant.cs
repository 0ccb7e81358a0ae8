using System.Globalization;
using System.Text.RegularExpressions;

namespace Polymath.Hub;

/// <summary>One of the forms that a repository holds its model in: a GGUF file, a split one, or the Hugging Face folder.</summary>
/// <param name="Quant">Q4_K_M and the like; the file's name without .gguf where that says no quant or several files say the same.</param>
/// <param name="Stem">The file's name without .gguf and without the number of the part.</param>
/// <param name="Files">Its files with the names they get in the cache.</param>
internal sealed record ModelVariant(string Quant, string Stem, IReadOnlyList<(string Name, HubFile File)> Files)
{
    private static readonly string[] s_folderFiles = [".json", ".txt", ".model", ".jinja"];

    // A file's name, and the number of its part in a split one.
    private static readonly Regex s_part = new(
        @"\A(.*?)(?:-([0-9]{5})-of-([0-9]{5}))?\.gguf\z", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.NonBacktracking);

    private static readonly Regex s_shard = new(@"\Amodel(-[0-9]{5}-of-[0-9]{5})?\.safetensors\z", RegexOptions.NonBacktracking);
    private static readonly Regex s_strange = new("[^A-Za-z0-9._-]+|[.]{2,}", RegexOptions.NonBacktracking);

    /// <summary>Bytes of all files.</summary>
    public long Size => Files.Sum(f => f.File.Size);

    /// <summary>The variants in a list of files, the ones to prefer first.</summary>
    public static IReadOnlyList<ModelVariant> All(IReadOnlyList<HubFile> files)
    {
        List<ModelVariant> found = [.. Gguf(files)];
        if (Folder(files) is { } folder)
            found.Add(folder);
        HashSet<string> shared = [.. found.GroupBy(v => v.Quant).Where(g => g.Count() > 1).Select(g => g.Key)];
        return [.. found.Select(v => shared.Contains(v.Quant) ? v with { Quant = v.Stem } : v)
            .DistinctBy(v => v.Quant, StringComparer.OrdinalIgnoreCase)
            .OrderBy(v => QuantName.Rank(v.Quant)).ThenBy(v => v.Quant, StringComparer.Ordinal)];
    }

    private static IEnumerable<ModelVariant> Gguf(IReadOnlyList<HubFile> files)
    {
        var candidates = files.Where(f => f.Name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            .Select(f => (File: f, Part: s_part.Match(f.Name), Folder: f.Path[..^f.Name.Length]));
        foreach (var group in candidates.GroupBy(c => (c.Folder, Stem: c.Part.Groups[1].Value, Of: c.Part.Groups[3].Value)))
        {
            string stem = group.Key.Stem;
            List<(string, HubFile)> members = [.. group.OrderBy(c => c.File.Name, StringComparer.Ordinal).Select(c => (c.File.Name, c.File))];
            bool companion = stem.Contains("mmproj", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("imatrix", StringComparison.OrdinalIgnoreCase);
            if (companion || !IsWhole(members.Count, group.Key.Of, group.Select(c => c.Part.Groups[2].Value)))
                continue;
            string quant = QuantName.In(stem) ?? QuantName.In(group.Key.Folder) ?? Plain(stem);
            yield return new ModelVariant(quant, Plain(stem), members);
        }
    }

    /// <summary>All parts from 1 to N are there.</summary>
    private static bool IsWhole(int count, string of, IEnumerable<string> numbers) =>
        of.Length == 0
        || (int.Parse(of, CultureInfo.InvariantCulture) == count
            && numbers.Select(n => int.Parse(n, CultureInfo.InvariantCulture)).Order().SequenceEqual(Enumerable.Range(1, count)));

    private static ModelVariant? Folder(IReadOnlyList<HubFile> files)
    {
        bool indexed = files.Any(f => f.Path is "model.safetensors" or "model.safetensors.index.json");
        if (!indexed || !files.Any(f => f.Path == "config.json"))
            return null;
        List<(string, HubFile)> members =
        [
            .. files.Where(f => IsWeights(f) || IsBeside(f)).Select(f => (f.Path, f)),
        ];
        return new ModelVariant(ModelName.Safetensors, ModelName.Safetensors, members);

        // Other copies of the weights (consolidated.safetensors, adapters) are left where they are.
        static bool IsWeights(HubFile f) => !f.Path.Contains('/', StringComparison.Ordinal) && s_shard.IsMatch(f.Path);

        static bool IsBeside(HubFile f) => f.Path.Count(c => c == '/') <= 1
            && (s_folderFiles.Contains(System.IO.Path.GetExtension(f.Name)) || f.Name.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A file's name as a part of a model's name.</summary>
    private static string Plain(string stem)
    {
        string plain = s_strange.Replace(stem, "_").Trim('.', '-');
        return ModelName.IsPart(plain) ? plain : "model";
    }
}
