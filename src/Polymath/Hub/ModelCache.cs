using Polymath.Files;

namespace Polymath.Hub;

/// <summary>
/// The models on this machine. Contents are kept once, under their SHA-256, in blobs/; a model is a folder in models/
/// with links to them under the files' own names, and a manifest in manifests/, written last. What has no manifest is
/// not seen. Changes are made under a lock that one process at a time can hold.
/// </summary>
/// <param name="folder">Its folder; made when something is put there.</param>
public sealed class ModelCache(string folder)
{
    private const int Shared = 11, SharedOnMac = 35, SharedOnWindows = unchecked((int)0x80070020);   // held by another process

    /// <summary>The folder of the cache.</summary>
    public string Folder => folder;

    private string Blobs => Path.Combine(folder, "blobs");

    private string Partials => Path.Combine(folder, "partial");

    private string Manifests => Path.Combine(folder, "manifests");

    private string Models => Path.Combine(folder, "models");

    /// <summary>All whole models, by name.</summary>
    public IReadOnlyList<CachedModel> List() =>
        [.. All().Select(m => Describe(m.Manifest)).OfType<CachedModel>()
            .OrderBy(m => m.Repository, StringComparer.OrdinalIgnoreCase).ThenBy(m => QuantName.Rank(m.Quant)).ThenBy(m => m.Quant, StringComparer.Ordinal)];

    /// <summary>The model of that name, whatever the case of its letters; of several quants the one that is used by default. Null if it is not there.</summary>
    public CachedModel? Find(ModelName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return List().FirstOrDefault(m => IsNamed(m, name));
    }

    /// <summary>Removes a model, all quants where none is named, and the contents that no other model has.</summary>
    /// <returns>The models removed.</returns>
    /// <exception cref="HubException">A download is under way.</exception>
    public IReadOnlyList<CachedModel> Remove(ModelName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        List<CachedModel> gone = [.. List().Where(m => IsNamed(m, name))];
        if (gone.Count == 0)
            return gone;
        using FileStream held = LockOrThrow();
        List<(string Path, Manifest Manifest)> all = All();
        HashSet<string> names = [.. gone.Select(m => m.Name)];
        List<(string Path, Manifest Manifest)> leaving = [.. all.Where(m => names.Contains($"{m.Manifest.Repository}:{m.Manifest.Quant}"))];
        foreach ((string path, Manifest manifest) in leaving)
        {
            File.Delete(path);   // first: without it the rest is not seen
            DeleteFolder(FolderOf(manifest));
            FreeUnshared(manifest);
            DeleteEmpty(Path.GetDirectoryName(path)!, Manifests);
            DeleteEmpty(Path.GetDirectoryName(FolderOf(manifest))!, Models);
        }

        return gone;
    }

    /// <summary>Files and bytes of downloads that were begun and not finished, and of contents that belong to no model.</summary>
    public (int Files, long Bytes) Unfinished()
    {
        IReadOnlyList<FileInfo> files = Loose();
        return (files.Count(f => f.Extension != ".etag"), files.Sum(f => f.Length));
    }

    /// <summary>Free bytes of the disk that holds <paramref name="path"/>, or will when it is made; negative when the system does not say.</summary>
    public static long FreeBytes(string path)
    {
        string? there = path;
        while (there is not null && !Directory.Exists(there))
            there = Path.GetDirectoryName(there);
        return there is null ? -1 : HubOptions.DiskSpace(there);
    }

    /// <summary>Removes what <see cref="Unfinished"/> counts.</summary>
    /// <exception cref="HubException">A download is under way.</exception>
    public void RemoveUnfinished()
    {
        if (!Directory.Exists(folder))
            return;
        using FileStream held = LockOrThrow();
        foreach (FileInfo file in Loose())
            file.Delete();
        HashSet<string> used = [.. All().Select(m => FolderOf(m.Manifest))];
        foreach (string model in FoldersAtDepth(Models, 3).Where(f => !used.Contains(f)))
            DeleteFolder(model);
    }

    /// <summary>True when the content is there.</summary>
    internal bool HasBlob(string sha256, long size) => new FileInfo(BlobPath(sha256)) is { Exists: true } blob && blob.Length == size;

    /// <summary>Bytes that a download of the file has still to bring.</summary>
    internal long Missing(HubFile file)
    {
        if (file.Sha256 is not null && HasBlob(file.Sha256, file.Size))
            return 0;
        var part = new FileInfo(PartialPath(file));
        return part.Exists ? Math.Max(0, file.Size - part.Length) : file.Size;
    }

    /// <summary>Where the beginning of a download is kept.</summary>
    internal string PartialPath(HubFile file) => Path.Combine(Partials, file.Key);

    /// <summary>Makes a whole, checked file a content of the cache, for good.</summary>
    internal void PlaceBlob(PartialFile part, string sha256)
    {
        part.MoveTo(BlobPath(sha256));
        AtomicFile.SyncFolder(Blobs);
    }

    /// <summary>Makes a model of contents that are all there. From the return of this on it is seen.</summary>
    internal CachedModel Place(Manifest manifest)
    {
        string target = FolderOf(manifest), temporary = target + ".tmp";
        string path = Path.Combine(Manifests, manifest.Repository.Replace('/', Path.DirectorySeparatorChar), manifest.Quant + ".json");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (Describe(manifest) is null)
        {
            DeleteFolder(temporary);
            DeleteFolder(target);
            foreach (Manifest.Entry file in manifest.Files)
            {
                string name = Path.Combine(temporary, file.Path.Replace('/', Path.DirectorySeparatorChar));
                Directory.CreateDirectory(Path.GetDirectoryName(name)!);
                HardLink.Create(BlobPath(file.Sha256), name);
            }

            AtomicFile.SyncFolder(temporary);
            Directory.Move(temporary, target);
            AtomicFile.SyncFolder(Path.GetDirectoryName(target)!);
        }

        Manifest? before = File.Exists(path) ? Read(path) : null;
        AtomicFile.RemoveOrphans(path);   // of a pull that was killed while it wrote
        manifest.Write(path);
        if (before is not null)
            FreeUnshared(before);
        foreach (string older in Directory.GetDirectories(Path.GetDirectoryName(target)!, manifest.Quant + "@*").Where(f => f != target))
            DeleteFolder(older);   // what the manifest named before
        return Describe(manifest) ?? throw new HubException($"{manifest.Repository}:{manifest.Quant}: its files vanished from {folder}");
    }

    /// <summary>The spelling under which the cache has a repository already, else the one given.</summary>
    internal string Spelling(string repository) =>
        All().Select(m => m.Manifest.Repository).FirstOrDefault(r => r.Equals(repository, StringComparison.OrdinalIgnoreCase)) ?? repository;

    /// <summary>Holds the cache against changes by others; null while another one does.</summary>
    internal FileStream? TryLock()
    {
        foreach (string inner in new[] { Blobs, Partials, Manifests, Models })
            Directory.CreateDirectory(inner);
        try
        {
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult is Shared or SharedOnMac or SharedOnWindows)
        {
            return null;
        }
    }

    private static bool IsNamed(CachedModel model, ModelName name) =>
        model.Repository.Equals(name.Repository, StringComparison.OrdinalIgnoreCase)
        && (name.Quant is null || model.Quant.Equals(name.Quant, StringComparison.OrdinalIgnoreCase));

    private FileStream LockOrThrow() => TryLock() ?? throw new HubException("a download is under way; try again when it has ended");

    private string BlobPath(string sha256) => Path.Combine(Blobs, "sha256-" + sha256);

    private string FolderOf(Manifest manifest) =>
        Path.Combine(Models, manifest.Repository.Replace('/', Path.DirectorySeparatorChar), manifest.Folder);

    /// <summary>The model, or null when a file of it is missing or of another size.</summary>
    private CachedModel? Describe(Manifest manifest)
    {
        string target = FolderOf(manifest);
        foreach (Manifest.Entry file in manifest.Files)
        {
            var found = new FileInfo(Path.Combine(target, file.Path));
            if (!found.Exists || found.Length != file.Size)
                return null;
        }

        string? gguf = manifest.Files.Select(f => f.Path).Order(StringComparer.Ordinal)
            .FirstOrDefault(f => f.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase));
        return new CachedModel(
            manifest.Repository, manifest.Quant, gguf is null ? target : Path.Combine(target, gguf),
            manifest.Files.Sum(f => f.Size), manifest.Files.Count, manifest.Commit, manifest.Pulled);
    }

    /// <summary>All manifests that can be read and lie where their names say.</summary>
    private List<(string Path, Manifest Manifest)> All()
    {
        var all = new List<(string, Manifest)>();
        foreach (string repository in FoldersAtDepth(Manifests, 2))
        {
            foreach (string path in Directory.GetFiles(repository, "*.json"))
            {
                if (Path.GetFileName(path)[0] != '.' && Read(path) is { } manifest
                    && path == Path.Combine(Manifests, manifest.Repository.Replace('/', Path.DirectorySeparatorChar), manifest.Quant + ".json"))
                {
                    all.Add((path, manifest));
                }
            }
        }

        return all;
    }

    private static Manifest? Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= Manifest.FileBytes ? Manifest.Parse(path, File.ReadAllBytes(path)) : null;
        }
        catch (Exception e) when (e is HubException or IOException)
        {
            return null;   // damaged, or just removed: not a model
        }
    }

    /// <summary>SHA-256 of all contents that belong to a model.</summary>
    private HashSet<string> Used() => [.. All().SelectMany(m => m.Manifest.Files).Select(f => f.Sha256)];

    /// <summary>Removes the contents of a manifest that is no longer there, but for those that another one has.</summary>
    private void FreeUnshared(Manifest gone)
    {
        HashSet<string> used = Used();
        foreach (Manifest.Entry file in gone.Files.Where(f => !used.Contains(f.Sha256)))
            File.Delete(BlobPath(file.Sha256));
    }

    private List<FileInfo> Loose()
    {
        HashSet<string> used = [.. Used().Select(BlobPath)];
        return [.. FilesOf(Partials), .. FilesOf(Blobs).Where(f => !used.Contains(f.FullName))];

        static FileInfo[] FilesOf(string path) => Directory.Exists(path) ? new DirectoryInfo(path).GetFiles() : [];
    }

    private static IEnumerable<string> FoldersAtDepth(string path, int depth) =>
        !Directory.Exists(path) ? [] : depth == 0 ? [path] : Directory.GetDirectories(path).SelectMany(inner => FoldersAtDepth(inner, depth - 1));

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }

    /// <summary>Removes empty folders from <paramref name="path"/> up to <paramref name="root"/>, which stays.</summary>
    private static void DeleteEmpty(string path, string root)
    {
        for (; path != root && Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any(); path = Path.GetDirectoryName(path)!)
            Directory.Delete(path);
    }
}
