using Polymath.Text.Unicode;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class UnicodeNormalizationTests
{
    /// <summary>Values of String.prototype.normalize in Node.</summary>
    [Theory]
    [InlineData("e\u0301 \u00e9 \u212b", "\u00e9 \u00e9 \u00c5", "e\u0301 e\u0301 A\u030a", "\u00e9 \u00e9 \u00c5")]
    [InlineData("a\u0301\u0323\u0334", "\u1ea1\u0334\u0301", "a\u0334\u0323\u0301", "\u1ea1\u0334\u0301")]
    [InlineData("\u1112\u1161\u11ab\uac01\uac00\u11a8", "\ud55c\uac01\uac01", "\u1112\u1161\u11ab\u1100\u1161\u11a8\u1100\u1161\u11a8", "\ud55c\uac01\uac01")]
    [InlineData("\ufb01 \u2460 \uff21 \u338f \u2126", "\ufb01 \u2460 \uff21 \u338f \u03a9", "\ufb01 \u2460 \uff21 \u338f \u03a9", "fi 1 A kg \u03a9")]
    [InlineData("\u0958 \u0915\u093c", "\u0915\u093c \u0915\u093c", "\u0915\u093c \u0915\u093c", "\u0915\u093c \u0915\u093c")]
    [InlineData("\ud834\udd5e \u304b\u3099", "\ud834\udd57\ud834\udd65 \u304c", "\ud834\udd57\ud834\udd65 \u304b\u3099", "\ud834\udd57\ud834\udd65 \u304c")]
    public void Forms_are_those_of_another_implementation(string text, string c, string d, string kc)
    {
        Assert.Equal(c, UnicodeNormalization.Apply(text, UnicodeForm.C));
        Assert.Equal(d, UnicodeNormalization.Apply(text, UnicodeForm.D));
        Assert.Equal(kc, UnicodeNormalization.Apply(text, UnicodeForm.KC));
        Assert.Equal(UnicodeNormalization.Apply(kc, UnicodeForm.D), UnicodeNormalization.Apply(text, UnicodeForm.KD));
    }

    [Fact]
    public void Long_runs_of_marks_and_halves_of_characters_do_no_harm()
    {
        string marks = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 200_000));
        Assert.Equal("\u1ea1" + new string('\u0323', 199_999) + new string('\u0301', 200_000), UnicodeNormalization.Apply(marks, UnicodeForm.C));
        Assert.Equal("x\ud800y\udc00", UnicodeNormalization.Apply("x\ud800y\udc00", UnicodeForm.KC));
    }
}
