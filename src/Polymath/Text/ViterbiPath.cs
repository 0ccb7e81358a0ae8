namespace Polymath.Text;

/// <summary>The best ways to each place of a stretch of text. Its memory is used again.</summary>
internal sealed class ViterbiPath
{
    /// <summary>A stretch shorter than this is not worth ending.</summary>
    public const int Worthwhile = 1024;

    private const int Kept = 1 << 16;

    private readonly List<(int Length, int Id)> _steps = [];
    private Place[] _places = new Place[256];
    private int _count;

    /// <summary>Starts a stretch.</summary>
    /// <param name="score">Sum of the scores before it.</param>
    public void Start(double score)
    {
        if (_places.Length > Kept)
            _places = new Place[256];
        _places[0] = new Place { Score = score };
        _count = 1;
    }

    /// <summary>The best sum at a place that some way reaches.</summary>
    public double Score(int at) => _places[at].Score;

    /// <summary>A token leads from a place to another: kept when it is the first or better.</summary>
    public void Offer(int from, int length, int id, double score)
    {
        int to = from + length;
        if (to >= _places.Length)
            Array.Resize(ref _places, Math.Max(to + 1, _places.Length * 2));
        for (; _count <= to; _count++)
            _places[_count] = default;
        ref Place place = ref _places[to];
        if (place.Length == 0 || score > place.Score)
            place = new Place { Score = score, Length = length, Id = id };
    }

    /// <summary>The tokens of the best way to a place, in order.</summary>
    public List<(int Length, int Id)> Steps(int to)
    {
        _steps.Clear();
        for (int at = to; at > 0; at -= _places[at].Length)
            _steps.Add((_places[at].Length, _places[at].Id));
        _steps.Reverse();
        return _steps;
    }

    private struct Place
    {
        public double Score;
        public int Length; // of the token that leads here; 0 when none does
        public int Id;
    }
}
