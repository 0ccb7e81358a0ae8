using System.Globalization;

namespace Polymath.Benchmarks;

/// <summary>What <c>side-by-side</c> is asked to measure.</summary>
internal sealed record SideBySideOptions
{
    public const string Usage = """
        usage: side-by-side --peer PROGRAM --libraries FOLDER [OPTIONS] MODEL.gguf...
        bench/side-by-side.sh gives --peer and --libraries. Options:
          -t N             threads of each engine (default: one per processor)
          --tests LIST     of pp512 (prompt), tg128 (one by one), tb4x32 (32 of each of 4 sequences), each also
                           after tokens in the cache: tg128@8192 (default: pp512,tg128)
          --blocks N       samples of each engine that must count (default: 5)
          --most N         blocks at most, when others keep the machine busy (default: three times --blocks)
          --seconds S      shortest sample (default: 2)
          --limit P        a sample does not count when others took more than that per cent of a core (default: 4)
          -o FILE          every sample and result as a line of JSON, added to the file
        """;

    public string Peer { get; private init; } = "";

    public string Libraries { get; private init; } = "";

    public int Threads { get; private init; } = Environment.ProcessorCount;

    public SpeedTest[] Tests { get; private init; } = SpeedTest.ParseAll("pp512,tg128");

    public int Blocks { get; private init; } = 5;

    public int Most { get; private init; }

    public double Seconds { get; private init; } = 2;

    /// <summary>Cores that others may take.</summary>
    public double Limit { get; private init; } = 0.04;

    public string? Output { get; private init; }

    public IReadOnlyList<string> Models { get; private init; } = [];

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="ArgumentException">They make no sense.</exception>
    public static SideBySideOptions Parse(string[] arguments)
    {
        var options = new SideBySideOptions();
        var models = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (!name.StartsWith('-'))
                models.Add(name);
            else if (++i == arguments.Length)
                throw new ArgumentException($"{name} needs a value, or is no option");
            else
                options = options.With(name, arguments[i]);
        }

        if (models.Count == 0 || options.Peer.Length == 0 || options.Libraries.Length == 0)
            throw new ArgumentException("--peer, --libraries and a model are needed");
        if (models.Find(path => !Path.Exists(path)) is { } missing)
            throw new ArgumentException($"{missing}: no such file");
        return options with { Models = models, Most = options.Most == 0 ? 3 * options.Blocks : Math.Max(options.Most, options.Blocks) };
    }

    private SideBySideOptions With(string name, string value) => name switch
    {
        "--peer" => this with { Peer = value },
        "--libraries" => this with { Libraries = value },
        "-t" or "--threads" => this with { Threads = Count(name, value) },
        "--tests" => this with { Tests = SpeedTest.ParseAll(value) },
        "--blocks" => this with { Blocks = Count(name, value) },
        "--most" => this with { Most = Count(name, value) },
        "--seconds" => this with { Seconds = Amount(name, value) },
        "--limit" => this with { Limit = Amount(name, value) / 100 },
        "-o" or "--output" => this with { Output = value },
        _ => throw new ArgumentException($"{name} is no option"),
    };

    private static int Count(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0
            ? n : throw new ArgumentException($"{name} takes a number from 1 on");

    private static double Amount(string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double x)
            ? x : throw new ArgumentException($"{name} takes a number");
}
