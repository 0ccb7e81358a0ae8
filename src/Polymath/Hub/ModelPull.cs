using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Polymath.Hub;

/// <summary>How far a download is.</summary>
/// <param name="Done">Bytes of the model that are there.</param>
/// <param name="Total">Bytes of the model.</param>
/// <param name="File">The file that is coming.</param>
public readonly record struct PullProgress(long Done, long Total, string File);

/// <summary>Brings models from a hub into the cache.</summary>
public static class ModelPull
{
    private const long Spare = 64L << 20;   // what a disk should keep free
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Brings a model, if it is not there already as the hub has it now. One that is cut off goes on from there at the next call;
    /// it is seen in the cache when all of it is there and its hashes are those listed.
    /// </summary>
    /// <param name="options">From where, to where.</param>
    /// <param name="name">Which; without a quant the one that fits best is chosen.</param>
    /// <param name="tell">Given remarks, a line each: what was chosen, what is tried again.</param>
    /// <param name="progress">Called as bytes come.</param>
    /// <param name="cancellation">Ends it; what has come is kept for the next time.</param>
    /// <exception cref="HubException">It cannot be had; the message says why.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public static async Task<CachedModel> Run(
        HubOptions options, ModelName name, Action<string> tell, Action<PullProgress> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(tell);
        ArgumentNullException.ThrowIfNull(progress);
        var cache = new ModelCache(options.Folder);
        if (options.Offline)
            return cache.Find(name) ?? throw new HubException($"{name} is not in the cache, and offline mode is on");
        using FileStream held = await Lock(cache, options, tell, cancellation).ConfigureAwait(false);
        using var client = new HubClient(options, tell);
        string repository = cache.Spelling(name.Repository);
        (HubListing listing, string? commit) = await client.List(repository, cancellation).ConfigureAwait(false);
        ModelVariant variant = Choose(listing, name, options.Memory, tell);
        RequireSpace(options, cache, variant);

        var download = new Download(client, options, cache, repository, tell);
        download.Pin(commit);
        var entries = new List<Manifest.Entry>();
        long before = 0, total = variant.Size;
        foreach ((string path, HubFile file) in variant.Files)
        {
            string sha256 = await download.Bring(file, done => progress(new PullProgress(before + done, total, file.Name)), cancellation).ConfigureAwait(false);
            before += file.Size;
            progress(new PullProgress(before, total, file.Name));
            entries.Add(new Manifest.Entry(path, file.Size, sha256));
        }

        var manifest = new Manifest(
            repository, variant.Quant, $"{variant.Quant}@{Digest(entries)}", download.Revision,
            DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()), entries);
        return cache.Place(manifest);
    }

    private static async Task<FileStream> Lock(ModelCache cache, HubOptions options, Action<string> tell, CancellationToken cancellation)
    {
        for (bool told = false; ; told = true)
        {
            if (cache.TryLock() is { } held)
                return held;
            if (!told)
                tell("another download is under way; waiting for its end");
            await options.Delay(s_look, cancellation).ConfigureAwait(false);
        }
    }

    private static ModelVariant Choose(HubListing listing, ModelName name, long memory, Action<string> tell)
    {
        IReadOnlyList<ModelVariant> all = ModelVariant.All(listing.Files);
        if (all.Count == 0)
        {
            string refused = listing.Refused > 0 ? $" ({listing.Refused} files have names that cannot be stored)" : "";
            throw new HubException($"{name.Repository} holds no model that can be used: no GGUF file, and no config.json with safetensors{refused}");
        }

        ModelVariant chosen = name.Quant is null ? Best(all, memory, tell) : Named(all, name);
        string others = string.Join(", ", all.Where(v => v != chosen).Select(v => $"{v.Quant} ({Size(v)})"));
        string files = chosen.Files.Count == 1 ? "" : $", {chosen.Files.Count} files";
        tell($"{name.Repository}:{chosen.Quant}, {Size(chosen)}{files}" + (name.Quant is null && others.Length > 0 ? $"; there are also {others}" : ""));
        if (!QuantName.CanRun(chosen.Quant))
            tell($"{chosen.Quant} is a format that this version cannot compute with");
        return chosen;
    }

    /// <summary>The first in the order of preference that fits into memory; GGUF before the Hugging Face folder.</summary>
    private static ModelVariant Best(IReadOnlyList<ModelVariant> all, long memory, Action<string> tell)
    {
        ModelVariant[] gguf = [.. all.Where(v => v.Quant != ModelName.Safetensors)];
        ModelVariant[] able = [.. (gguf.Length > 0 ? gguf : all).Where(v => QuantName.CanRun(v.Quant))];
        if (able.Length == 0)
            return all[0];
        long room = memory - (memory / 8);   // the cache and the buffers want some
        if (memory <= 0 || Array.Find(able, v => v.Size <= room) is not { } fitting)
        {
            if (memory <= 0)
                return able[0];
            fitting = able.MinBy(v => v.Size)!;
            tell($"none of them fits the {Size(memory)} of free memory; {fitting.Quant} is the smallest");
        }

        return fitting;
    }

    private static ModelVariant Named(IReadOnlyList<ModelVariant> all, ModelName name) =>
        all.FirstOrDefault(v => v.Quant.Equals(name.Quant, StringComparison.OrdinalIgnoreCase))
        ?? all.FirstOrDefault(v => v.Stem.Equals(name.Quant, StringComparison.OrdinalIgnoreCase))
        ?? throw new HubException($"{name.Repository} has no {name.Quant}; it has {string.Join(", ", all.Select(v => v.Quant))}");

    private static void RequireSpace(HubOptions options, ModelCache cache, ModelVariant variant)
    {
        long missing = variant.Files.Sum(f => cache.Missing(f.File)), free = options.FreeSpace(options.Folder);
        if (missing > 0 && free >= 0 && free - Spare < missing)
            throw new HubException($"{options.Folder} has {Size(free)} free; {Size(missing)} are still to come");
    }

    private static string Digest(List<Manifest.Entry> entries)
    {
        string all = string.Join('\n', entries.Select(e => $"{e.Sha256} {e.Path}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..12];
    }

    private static string Size(ModelVariant variant) => Size(variant.Size);

    private static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.00} GiB"),
    };
}
