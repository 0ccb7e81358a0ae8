using System.Globalization;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// <c>side-by-side</c>: this engine and llama.cpp, both resident, measured in turns in one run, so that what the machine
/// does meanwhile meets both. See bench/side-by-side/README.md.
/// </summary>
internal sealed class SideBySide : IDisposable
{
    private const int SettleMilliseconds = 100;   // in which the threads of the other engine fall asleep
    private const int GreedyTokens = 8;

    private static readonly TimeSpan s_readingTime = TimeSpan.FromSeconds(0.3);

    // As /proc/cpuinfo and llama.cpp name those that matter most.
    private static readonly (string Flag, string Feature)[] s_instructions =
        [("avx2", "AVX2"), ("fma", "FMA"), ("avx512f", "AVX512"), ("avx512_vnni", "AVX512_VNNI"), ("avx512_bf16", "AVX512_BF16")];

    private readonly SideBySideOptions _options;
    private readonly SideBySideReport _report;
    private readonly ThreadTeam _team;
    private readonly MemoryBandwidth _memory;

    private SideBySide(SideBySideOptions options)
    {
        _options = options;
        _report = new SideBySideReport(options);
        _team = new ThreadTeam(options.Threads);
        _memory = new MemoryBandwidth(_team, MachineMemory.Read().Free);
    }

    public static int Run(string[] arguments)
    {
        if (arguments is ["--help"])
        {
            Console.WriteLine(SideBySideOptions.Usage);
            return 0;
        }

        try
        {
            using var sideBySide = new SideBySide(SideBySideOptions.Parse(arguments));
            sideBySide.Run();
            return 0;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine($"side-by-side: {e.Message}; --help says more");
            return 2;
        }
        catch (Exception e) when (e is IOException or ModelFormatException)
        {
            Console.Error.WriteLine($"side-by-side: {e.Message}");
            return 1;
        }
    }

    public void Dispose()
    {
        _memory.Dispose();
        _team.Dispose();
    }

    private void Run()
    {
        foreach (string path in _options.Models)
        {
            string threads = _options.Threads.ToString(CultureInfo.InvariantCulture);
            (string program, string[] first) = ThisProgram();
            using var ours = new PeerProcess("Polymath", program, [.. first, "peer", path, "-t", threads]);
            using var theirs = new PeerProcess("llama.cpp", _options.Peer, _options.Libraries, path, threads);
            RequireBestInstructions(theirs);
            long bytes = BytesPerStep(path);
            _report.Begin(path, ours, theirs, Agreement(ours, theirs), bytes);
            foreach (SpeedTest test in _options.Tests)
                Measure(test, ours, theirs, bytes);
        }

        _report.End();
    }

    /// <summary>Blocks in turns, the first of each block changing too, until enough samples count or patience ends.</summary>
    private void Measure(SpeedTest test, PeerProcess ours, PeerProcess theirs, long bytesPerStep)
    {
        PeerProcess[] engines = [ours, theirs];
        // The runs to warm up also tell how many fill a sample.
        Dictionary<PeerProcess, int> runs = engines.ToDictionary(e => e, e =>
        {
            e.Measure(test.Command);
            return Math.Max(1, (int)Math.Ceiling(_options.Seconds / e.Measure(test.Command)));
        });
        Dictionary<PeerProcess, List<Sample>> samples = engines.ToDictionary(e => e, _ => new List<Sample>());
        for (int block = 1; block <= _options.Most && samples.Values.Any(s => s.Count(one => one.Counts) < _options.Blocks); block++)
        {
            foreach (PeerProcess engine in block % 2 == 1 ? engines : engines.Reverse())
            {
                Sample sample = Take(test, engine, runs[engine], block, bytesPerStep);
                samples[engine].Add(sample);
                _report.Add(test, sample);
            }
        }

        _report.Add(test, new SampleSummary(samples[ours]), new SampleSummary(samples[theirs]));
    }

    private Sample Take(SpeedTest test, PeerProcess engine, int runs, int block, long bytesPerStep)
    {
        double bandwidth = test.Steps > 0 ? _memory.Measure(_team, s_readingTime) : 0;
        Thread.Sleep(SettleMilliseconds);
        var before = ProcessorTime.Now(engine.Id);
        double seconds = 0;
        for (int i = 0; i < runs; i++)
            seconds += engine.Measure(test.Command);
        double others = before.OthersSince(engine.Id);
        return new Sample(
            engine.Name,
            block,
            runs * test.Tokens / seconds,
            runs * test.Steps * (double)bytesPerStep / seconds,
            bandwidth,
            others,
            others <= _options.Limit);
    }

    /// <summary>llama.cpp comes with a library for each level of processors; one that leaves instructions unused would be no match.</summary>
    private static void RequireBestInstructions(PeerProcess theirs)
    {
        string[] flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        foreach ((string flag, string feature) in s_instructions)
        {
            if (flags.Contains(flag) && !theirs.Description.Split(' ').Contains(feature))
                throw new IOException($"the processor has {flag}, but {theirs.Name} does not use it: {theirs.Description}");
        }
    }

    /// <summary>How far both continue the same prompt alike. Rounding differs, so that quantised weights may part early.</summary>
    private static string Agreement(PeerProcess ours, PeerProcess theirs)
    {
        const string prompt = "1 17 289 1024 4097 33 512 7";
        (string Id, string Logit)[] a = Answer(ours), b = Answer(theirs);
        int same = a.Zip(b).TakeWhile(pair => pair.First.Id == pair.Second.Id).Count();
        return $"greedy: {same} of {GreedyTokens} tokens alike, first {a[0].Id} with logit {a[0].Logit}, theirs {b[0].Id} with {b[0].Logit}";

        static (string Id, string Logit)[] Answer(PeerProcess peer) =>
            [.. peer.Ask($"greedy {GreedyTokens} {prompt}").Split(' ').Select(word => word.Split(':')).Select(pair => (pair[0], pair[1]))];
    }

    /// <summary>Bytes of the weights that a token reads: all but an embedding that is not the head too, and of experts those used.</summary>
    private static long BytesPerStep(string path)
    {
        using WeightSource source = WeightSource.Open(path);
        long experts = source.Metadata.GetInt32($"{source.Architecture}.expert_count", 0);
        long used = source.Metadata.GetInt32($"{source.Architecture}.expert_used_count", 0);
        bool hasHead = source.Contains("output.weight");
        return source.Tensors.Where(t => !hasHead || t.Name != "token_embd.weight")
            .Sum(t => experts > 0 && t.Name.Contains("_exps.", StringComparison.Ordinal) ? t.ByteLength * used / experts : t.ByteLength);
    }

    /// <summary>What starts this program once more.</summary>
    internal static (string Program, string[] First) ThisProgram()
    {
        string program = Environment.ProcessPath ?? throw new IOException("the path of this program is unknown");
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return (program, isHost ? [typeof(SideBySide).Assembly.Location] : []);
    }
}
