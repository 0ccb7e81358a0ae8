using System.Diagnostics;
using Polymath.Files;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>
/// Gives mutated files to a loader and judges what happens. Allowed: a <see cref="ModelFormatException"/>, or a load
/// that works; within 2 seconds, and with at most the valid file's allocations + 64 MiB + 3 × the file's size.
/// </summary>
internal sealed class HostileRun(string name, int seed, IReadOnlyList<Specimen> specimens, Action<byte[]> load)
{
    private const long SlackBytes = 64L << 20;
    private const string Slow = "too slow: ";
    private readonly long[] _valid = new long[specimens.Count];

    /// <summary>Pieces put in the place of values, for formats of text.</summary>
    public IReadOnlyList<byte[]>? Fragments { get; init; }

    /// <summary>Time that one file may take.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(2);

    public int Loaded { get; private set; }

    public int Refused { get; private set; }

    /// <summary>Runs all rounds; returns the first bad verdict, or null.</summary>
    public string? FirstBad(int rounds)
    {
        for (int i = 0; i < specimens.Count; i++)
        {
            string? bad = Judge(specimens[i].Bytes, long.MaxValue, mayRefuse: false, out _valid[i]);
            if (bad is not null)
                return $"{name}: the valid file {specimens[i].Name}: {bad}";
        }

        var mutations = new Mutations(seed, Fragments);
        for (int round = 0; round < rounds; round++)
        {
            int i = round % specimens.Count;
            byte[] file = mutations.Mutate(round, specimens[i]);
            long most = _valid[i] + SlackBytes + (3L * file.Length);
            string? bad = Judge(file, most, mayRefuse: true, out _);
            for (int again = 0; again < 3 && bad is not null && bad.StartsWith(Slow, StringComparison.Ordinal); again++)
                bad = Judge(file, most, mayRefuse: true, out _);   // another program may have had the processor
            if (bad is not null)
                return $"{name}: seed {seed}, round {round}, from {specimens[i].Name}, {file.Length} bytes: {bad}";
        }

        return null;
    }

    /// <summary>Runs all rounds and fails the test at the first bad verdict; some files must load and some not.</summary>
    public void Check(int rounds)
    {
        string? bad = FirstBad(rounds);
        Assert.True(bad is null, bad);
        Assert.True(Loaded > specimens.Count && Refused > 0, $"{name}: {Loaded} loaded, {Refused} refused: the mutations say nothing");
    }

    private string? Judge(byte[] file, long most, bool mayRefuse, out long allocated)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        string? bad = null;
        try
        {
            load(file);
            Loaded++;
        }
        catch (ModelFormatException e)
        {
            Refused++;
            if (!mayRefuse)
                bad = "refused: " + e.Message;
            else if (e.Message.AsSpan().ContainsAny('\n', '\r', '\u001b') || e.Message.Length > 1000)
                bad = "the message is no clean line";
        }
        catch (Exception e)
        {
            bad = e.ToString();
        }

        TimeSpan time = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (bad is null && allocated > most)
            bad = $"{allocated} bytes allocated, {most} allowed";
        if (bad is null && time > Limit)
            bad = $"{Slow}{time.TotalSeconds:F1} s";
        return bad;
    }
}
