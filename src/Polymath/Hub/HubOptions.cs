namespace Polymath.Hub;

/// <summary>Where models come from and where they are kept.</summary>
public sealed record HubOptions
{
    /// <summary>Environment variables that are read, with what each is for.</summary>
    public static IReadOnlyList<(string Name, string Meaning)> Variables { get; } =
    [
        ("POLYMATH_MODELS", "Folder of the downloaded models."),
        ("POLYMATH_HOME", "Folder of everything this program keeps; the models are in models/ there."),
        ("HF_TOKEN", "Access token for private and gated models; sent to the endpoint and nowhere else."),
        ("HF_ENDPOINT", "Address of the hub (https://huggingface.co), for mirrors."),
        ("HF_HUB_OFFLINE", "1 to use what is there already and no network."),
    ];

    /// <summary>Address of the hub.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co/");

    /// <summary>Access token, or null. Sent only to the scheme, host and port of <see cref="Endpoint"/>.</summary>
    public string? Token { get; init; }

    /// <summary>No network.</summary>
    public bool Offline { get; init; }

    /// <summary>Folder of the models.</summary>
    public required string Folder { get; init; }

    /// <summary>Memory in bytes that a model may take when the quant is chosen for it; 0 when it does not matter.</summary>
    public long Memory { get; init; }

    /// <summary>Waits between tries; replaced in tests.</summary>
    internal Func<TimeSpan, CancellationToken, Task> Delay { get; init; } = Task.Delay;

    /// <summary>Free bytes of the disk that holds a folder; negative when the system does not say. Replaced in tests.</summary>
    internal Func<string, long> FreeSpace { get; init; } = DiskSpace;

    /// <summary>Time without a byte after which a connection counts as broken.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Reads the options from environment variables.</summary>
    /// <param name="variable">The value of a variable, or null.</param>
    /// <exception cref="HubException">A variable holds nothing that makes sense. The token is never in the message.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var options = new HubOptions { Folder = FolderOf(variable), Token = TokenOf(Value("HF_TOKEN")), Offline = IsTrue(Value("HF_HUB_OFFLINE")) };
        return Value("HF_ENDPOINT") is { } endpoint ? options with { Endpoint = EndpointOf(endpoint) } : options;

        string? Value(string name) => variable(name)?.Trim() is { Length: > 0 } value ? value : null;
    }

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    private static string? TokenOf(string? token) => token is null || token.All(c => c is > ' ' and < '\x7f')
        ? token
        : throw new HubException("HF_TOKEN holds characters that no token has");

    private static Uri EndpointOf(string text)
    {
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https")
            || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new HubException("HF_ENDPOINT is no address of the form https://host");
        }

        return uri;
    }

    private static string FolderOf(Func<string, string?> variable)
    {
        if (variable("POLYMATH_MODELS") is { Length: > 0 } models)
            return Path.GetFullPath(models);
        if (variable("POLYMATH_HOME") is { Length: > 0 } home)
            return Path.GetFullPath(Path.Combine(home, "models"));
        return Path.Combine(CacheOfUser(variable), "polymath", "models");
    }

    private static string CacheOfUser(Func<string, string?> variable)
    {
        if (OperatingSystem.IsWindows())
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (variable("XDG_CACHE_HOME") is { } cache && Path.IsPathRooted(cache))
            return cache;
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length == 0)
            throw new HubException("there is no home folder to keep models in; name a folder in POLYMATH_MODELS");
        return OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches") : Path.Combine(home, ".cache");
    }

    internal static long DiskSpace(string folder)
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder) ?? folder : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return -1;   // a network share, say
        }
    }
}
