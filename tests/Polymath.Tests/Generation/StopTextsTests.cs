using System.Text;
using CsCheck;
using Polymath.Generation;
using Xunit;

namespace Polymath.Tests.Generation;

public sealed class StopTextsTests
{
    private static string Through(string[] stops, IEnumerable<string> pieces)
    {
        var passed = new StringBuilder();
        var filter = new StopTexts(stops, piece => passed.Append(piece));
        foreach (string piece in pieces)
            filter.Append(piece);
        filter.Flush();
        return passed.ToString();
    }

    [Fact]
    public void Text_before_the_stop_passes_and_nothing_after_it() =>
        Assert.Equal("Hello ", Through(["END", "STOP"], ["Hel", "lo S", "TO", "P and more", " text"]));

    [Fact]
    public void What_only_looked_like_a_stop_passes_in_the_end() =>
        Assert.Equal("a STO b ST", Through(["STOP"], ["a S", "TO", " b", " ST"]));

    [Fact]
    public void A_tail_that_may_become_a_stop_is_held_back()
    {
        var passed = new StringBuilder();
        var filter = new StopTexts(["\n\n"], piece => passed.Append(piece));
        filter.Append("line\n");
        Assert.Equal("line", passed.ToString());
        filter.Append("next");
        Assert.Equal("line\nnext", passed.ToString());
    }

    [Fact]
    public void Any_split_into_pieces_gives_the_text_before_the_first_stop()
    {
        var ab = Gen.String[Gen.Char["ab"], 0, 30];
        Gen.Select(ab, Gen.String[Gen.Char["ab"], 1, 4], Gen.Int[1, 5]).Sample((text, stop, size) =>
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            string expected = at < 0 ? text : text[..at];
            Assert.Equal(expected, Through([stop], text.Chunk(size).Select(c => new string(c))));
        });
    }
}
