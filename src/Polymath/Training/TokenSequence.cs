using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polymath.Text;

namespace Polymath.Training;

/// <summary>A long row of token ids, two bytes each where the vocabulary allows it.</summary>
public sealed class TokenSequence
{
    private readonly ushort[]? _narrow;
    private readonly int[]? _wide;
    private readonly int _start;

    private TokenSequence(ushort[]? narrow, int[]? wide, int start, int count)
    {
        _narrow = narrow;
        _wide = wide;
        _start = start;
        Count = count;
    }

    /// <summary>Number of ids.</summary>
    public int Count { get; }

    /// <summary>Tokenizes a corpus, pieces in parallel, with <paramref name="endId"/> after each document.</summary>
    /// <exception cref="TrainingException">The corpus cannot be read, or holds more than 2^31 tokens.</exception>
    public static TokenSequence Read(TextCorpus corpus, Tokenizer tokenizer, int endId, int threads, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(tokenizer);
        IEnumerable<(int[] Ids, bool Ends)> pieces = Partitioner
            .Create(corpus.Read(), EnumerablePartitionerOptions.NoBuffering)
            .AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Clamp(threads, 1, 64)).WithCancellation(cancellation)
            .WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(piece => (tokenizer.Encode(piece.Text, addSpecial: false), piece.EndsDocument));
        try
        {
            return tokenizer.VocabularySize <= ushort.MaxValue + 1 ? ReadNarrow(pieces, endId) : ReadWide(pieces, endId);
        }
        catch (AggregateException e) when (e.InnerException is TrainingException or OperationCanceledException)
        {
            throw e.InnerException is TrainingException t
                ? new TrainingException(t.Message, t) : new OperationCanceledException(cancellation);
        }
    }

    /// <summary>A sequence of given ids.</summary>
    public static TokenSequence Of(ReadOnlySpan<int> ids) => new(null, ids.ToArray(), 0, ids.Length);

    /// <summary>A part of the sequence, without copying.</summary>
    public TokenSequence Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - start);
        return new TokenSequence(_narrow, _wide, _start + start, count);
    }

    /// <summary>Copies the ids from <paramref name="start"/> on.</summary>
    public void CopyTo(int start, Span<int> to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to.Length, Count - start);
        if (_wide is not null)
        {
            _wide.AsSpan(_start + start, to.Length).CopyTo(to);
            return;
        }

        ReadOnlySpan<ushort> from = _narrow.AsSpan(_start + start, to.Length);
        for (int i = 0; i < to.Length; i++)
            to[i] = from[i];
    }

    /// <summary>SHA-256 of the ids, in hexadecimal: equal data give equal digests.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int[] block = new int[1 << 16];
        for (int i = 0; i < Count; i += block.Length)
        {
            Span<int> ids = block.AsSpan(0, Math.Min(block.Length, Count - i));
            CopyTo(i, ids);
            hash.AppendData(MemoryMarshal.AsBytes(ids));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static TokenSequence ReadNarrow(IEnumerable<(int[] Ids, bool Ends)> pieces, int endId)
    {
        ushort[] all = [];
        int count = 0;
        foreach ((int[] ids, bool ends) in pieces)
        {
            Grow(ref all, count, ids.Length + 1);
            foreach (int id in ids)
                all[count++] = checked((ushort)id);
            if (ends)
                all[count++] = checked((ushort)endId);
        }

        return new TokenSequence(all, null, 0, count);
    }

    private static TokenSequence ReadWide(IEnumerable<(int[] Ids, bool Ends)> pieces, int endId)
    {
        int[] all = [];
        int count = 0;
        foreach ((int[] ids, bool ends) in pieces)
        {
            Grow(ref all, count, ids.Length + 1);
            ids.CopyTo(all, count);
            count += ids.Length;
            if (ends)
                all[count++] = endId;
        }

        return new TokenSequence(null, all, 0, count);
    }

    private static void Grow<T>(ref T[] all, int count, int more)
    {
        if (more > Array.MaxLength - count)
            throw new TrainingException("the data holds more than 2^31 tokens");
        if (count + more > all.Length)
            Array.Resize(ref all, (int)Math.Min(Array.MaxLength, Math.Max(count + (long)more, all.Length * 2L)));
    }
}
