using System.Diagnostics;
using System.Globalization;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// <c>peer MODEL -t N</c>: this engine, resident, with the protocol that bench/side-by-side/llama_cpp.c describes: one line
/// of standard input asks for a measurement, one line of standard output answers it.
/// </summary>
internal sealed class EnginePeer(Model model) : IDisposable
{
    private readonly Random _random = new(1);
    private readonly List<Session> _sessions = [];
    private Batch? _batch;
    private int _depth;   // tokens that are kept in every session between two measurements

    public static int Run(string[] arguments)
    {
        if (arguments is not [string path, "-t", string count] || !int.TryParse(count, CultureInfo.InvariantCulture, out int threads) || threads < 1)
        {
            Console.Error.WriteLine("usage: peer MODEL -t THREADS");
            return 2;
        }

        using Model model = Model.Load(path, new ModelOptions { Threads = threads });
        using var peer = new EnginePeer(model);
        Console.WriteLine($"ready Polymath, {Cpu.Describe()}");
        while (Console.ReadLine() is { } line)
            Console.WriteLine(peer.Answer(line));
        return 0;
    }

    public void Dispose() => Close();

    private string Answer(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] numbers = [.. words.Skip(1).Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : -1)];
        if (numbers.Contains(-1))
            return $"error: {line}: a number is none";
        double? seconds = (words.FirstOrDefault(), numbers) switch
        {
            ("pp", [> 0 and int tokens]) => Measure(1, tokens, 0, tokens),
            ("pp", [> 0 and int tokens, int depth]) => Measure(1, tokens, depth, tokens),
            ("tg", [> 0 and int tokens]) => Measure(1, tokens, 0, 1),
            ("tg", [> 0 and int tokens, int depth]) => Measure(1, tokens, depth, 1),
            ("tb", [> 0 and int sequences, > 0 and int tokens]) => Measure(sequences, tokens, 0, 1),
            ("tb", [> 0 and int sequences, > 0 and int tokens, int depth]) => Measure(sequences, tokens, depth, 1),
            _ => null,
        };
        if (seconds is { } s)
            return s.ToString("F6", CultureInfo.InvariantCulture);
        return (words.FirstOrDefault(), numbers) is ("greedy", [> 0 and int steps, _, ..])
            ? Greedy(steps, numbers.AsSpan(1)) : $"error: {line} is no command, or not with these numbers";
    }

    /// <summary>
    /// Seconds for <paramref name="tokens"/> of each sequence, <paramref name="step"/> at a time, with
    /// <paramref name="depth"/> in the cache before.
    /// </summary>
    private double Measure(int sequences, int tokens, int depth, int step)
    {
        Prepare(sequences, depth + tokens);
        Fill(depth);
        int[] ids = RandomIds(tokens * sequences);
        long start = Stopwatch.GetTimestamp();
        for (int at = 0; at < ids.Length;)
        {
            foreach (Session session in _sessions)
            {
                if (sequences == 1)
                    session.Forward(ids.AsSpan(at, step));   // in parts as long as the model's batch
                else
                    _batch!.Add(session, ids.AsSpan(at, step));
                at += step;
            }

            if (sequences > 1)
                _batch!.Forward();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private string Greedy(int steps, ReadOnlySpan<int> ids)
    {
        Prepare(1, ids.Length + steps);
        Fill(0);
        var text = new List<string>();
        int[] next = ids.ToArray();
        for (int i = 0; i < steps; i++)
        {
            ReadOnlySpan<float> logits = _sessions[0].Forward(next);
            next = [IndexOfLargest(logits)];
            text.Add(string.Create(CultureInfo.InvariantCulture, $"{next[0]}:{logits[next[0]]:F5}"));
        }

        _depth = -1;   // these are no random tokens
        return string.Join(' ', text);
    }

    /// <summary>As many sessions of exactly that length; those that are there if they fit.</summary>
    private void Prepare(int sequences, int length)
    {
        if (_sessions.Count == sequences && _sessions[0].Capacity == length)
            return;
        Close();
        _batch = model.NewBatch(sequences, sequences);   // a token of each
        for (int i = 0; i < sequences; i++)
            _sessions.Add(model.NewSession(length));
        _depth = 0;
    }

    /// <summary>Makes every session hold exactly that many tokens; they are kept from one run to the next where that is possible.</summary>
    private void Fill(int depth)
    {
        foreach (Session session in _sessions)
        {
            if (_depth == depth && depth > 0 && session.Rewind(depth) == depth)
                continue;
            session.Rewind(0);
            if (depth > 0)
                session.Forward(RandomIds(depth));
        }

        _depth = depth;
    }

    private static int IndexOfLargest(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int id = 1; id < logits.Length; id++)
            best = logits[id] > logits[best] ? id : best;
        return best;
    }

    private int[] RandomIds(int count)
    {
        int[] ids = new int[count];
        foreach (ref int id in ids.AsSpan())
            id = _random.Next(model.Settings.Vocabulary);
        return ids;
    }

    private void Close()
    {
        _sessions.ForEach(s => s.Dispose());
        _sessions.Clear();
        _batch?.Dispose();
        _batch = null;
    }
}
