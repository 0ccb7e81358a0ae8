using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Polymath.Hub;
using Polymath.Tests.Files;

namespace Polymath.Tests.Hub;

/// <summary>A hub of one repository, me/it, with its storage on another port; tests change what either answers.</summary>
internal sealed class FakeHub : IDisposable
{
    public const string Repository = "me/it", Commit = "0123456789abcdef0123456789abcdef01234567", Token = "hf_secret";

    private readonly TemporaryFolder _folder = new();

    public FakeHub()
    {
        Storage = new WebServer(r => (OnStorage ?? Store)(r));
        Hub = new WebServer(r => OnHub?.Invoke(r) ?? Answer(r));
    }

    /// <summary>Files by path. Those of 100 bytes and more are large ones, on the storage.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    public WebServer Hub { get; }

    public WebServer Storage { get; }

    /// <summary>Answers in place of the hub, where not null.</summary>
    public Func<WebRequest, WebAnswer?>? OnHub { get; set; }

    /// <summary>Answers in place of the storage.</summary>
    public Func<WebRequest, WebAnswer>? OnStorage { get; set; }

    /// <summary>Remarks of the pulls.</summary>
    public List<string> Said { get; } = [];

    /// <summary>Waits that were asked for; none is waited.</summary>
    public List<TimeSpan> Waits { get; } = [];

    public string Folder => _folder["cache"];

    public ModelCache Cache => new(Folder);

    public HubOptions Options => new()
    {
        Endpoint = Hub.Address,
        Token = Token,
        Folder = Folder,
        Delay = (time, cancellation) =>
        {
            lock (Waits)
                Waits.Add(time);
            return Task.Delay(5, cancellation);
        },
    };

    public static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public CachedModel Pull(string name = Repository, HubOptions? options = null, Action<PullProgress>? progress = null) =>
        PullAsync(name, options, progress).GetAwaiter().GetResult();

    public Task<CachedModel> PullAsync(
        string name = Repository, HubOptions? options = null, Action<PullProgress>? progress = null, CancellationToken cancellation = default) =>
        ModelPull.Run(options ?? Options, ModelName.Parse(name), Said.Add, progress ?? (_ => { }), cancellation);

    /// <summary>What the hub itself would answer.</summary>
    public WebAnswer Answer(WebRequest request)
    {
        if (request.Path == $"/api/models/{Repository}/tree/main")
            return WebAnswer.Text(200, Listing(Files), ("X-Repo-Commit", Commit));
        string prefix = $"/{Repository}/resolve/{Commit}/";
        if (!request.Path.StartsWith(prefix, StringComparison.Ordinal) || !Files.TryGetValue(request.Path[prefix.Length..], out byte[]? bytes))
            return WebAnswer.Text(404, "Entry not found", ("X-Error-Code", "EntryNotFound"));
        return IsLarge(bytes)
            ? WebAnswer.Redirect(
                $"http://localhost:{Storage.Port}/{Sha256(bytes)}?sign=1", ("X-Linked-ETag", $"\"{Sha256(bytes)}\""), ("X-Repo-Commit", Commit))
            : new WebAnswer(200, bytes, ("X-Repo-Commit", Commit), ("ETag", $"\"{GitId(bytes)}\""));
    }

    /// <summary>What the storage itself would answer: whole files and ranges.</summary>
    public WebAnswer Store(WebRequest request)
    {
        byte[]? bytes = Files.Values.FirstOrDefault(b => Sha256(b) == request.Path[1..]);
        if (bytes is null)
            return WebAnswer.Text(404, "no");
        string tag = $"\"{Sha256(bytes)[..16]}\"";
        bool same = request.Header("If-Range") is null || request.Header("If-Range") == tag;
        return request.From == 0 || !same
            ? new WebAnswer(200, bytes, ("ETag", tag))
            : new WebAnswer(206, bytes[(int)request.From..], ("ETag", tag), ("Content-Range", $"bytes {request.From}-{bytes.Length - 1}/{bytes.Length}"));
    }

    public static string Listing(IEnumerable<KeyValuePair<string, byte[]>> files) => "[" + string.Join(',', files.Select(f => Entry(f.Key, f.Value))) + "]";

    public static string Entry(string path, byte[] bytes, long? size = null, string? sha256 = null)
    {
        string name = JsonSerializer.Serialize(path);
        return IsLarge(bytes)
            ? $$"""{"type":"file","oid":"{{GitId("pointer"u8.ToArray())}}","size":{{size ?? bytes.Length}},"path":{{name}},"lfs":{"oid":"{{sha256 ?? Sha256(bytes)}}","size":{{size ?? bytes.Length}},"pointerSize":135} }"""
            : $$"""{"type":"file","oid":"{{GitId(bytes)}}","size":{{size ?? bytes.Length}},"path":{{name}}}""";
    }

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public void Dispose()
    {
        Hub.Dispose();
        Storage.Dispose();
        _folder.Dispose();
    }

    private static bool IsLarge(byte[] bytes) => bytes.Length >= 100;

    private static string GitId(byte[] bytes)
    {
#pragma warning disable CA5350 // as git does it
        return Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
#pragma warning restore CA5350
    }
}
