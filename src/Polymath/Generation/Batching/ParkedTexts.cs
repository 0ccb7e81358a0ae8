using Polymath.Models;

namespace Polymath.Generation.Batching;

/// <summary>
/// Texts that are over, of models with recurrent layers: their states belong to one place of one text and cannot be shared by
/// pages, but a text that goes on from there can take the whole over. The oldest goes first. One thread at a time.
/// </summary>
internal sealed class ParkedTexts(int most) : IDisposable
{
    private const int Fewest = 16;   // common tokens that are worth it

    private readonly List<(int[] Ids, Session Session)> _texts = [];

    /// <summary>Keeps a session whose tokens are <paramref name="ids"/>, and owns it from now on.</summary>
    public void Add(ReadOnlySpan<int> ids, Session session)
    {
        if (_texts.Count == most)
            DropOldest();
        _texts.Add((ids.ToArray(), session));
    }

    /// <summary>
    /// Takes out the session that has most of the beginning of <paramref name="ids"/>, gone back to what they have in common
    /// or less; null where none has enough.
    /// </summary>
    public Session? TryTake(ReadOnlySpan<int> ids)
    {
        int best = -1, common = Fewest - 1;
        for (int i = 0; i < _texts.Count; i++)
        {
            int length = ids.CommonPrefixLength(_texts[i].Ids);
            if (length > common)
                (best, common) = (i, length);
        }

        if (best < 0)
            return null;
        Session session = _texts[best].Session;
        _texts.RemoveAt(best);
        session.Rewind(common);
        return session;
    }

    /// <summary>Gives the pages of the oldest back; false where there is none.</summary>
    public bool DropOldest()
    {
        if (_texts.Count == 0)
            return false;
        _texts[0].Session.Dispose();
        _texts.RemoveAt(0);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (DropOldest())
        {
        }
    }
}
