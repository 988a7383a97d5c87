//! From lines to templates.
//!
//! A line's *shape* is its message with every value left out. Shapes that differ in one word only are counted per
//! place of that word; when there is enough evidence, a value stands there, and they are one template. The rule only
//! ever merges, and what it merges depends on which shapes were seen, hardly on their order: so the outcome is the same
//! in every chunking, nearly the same in every order, and two miners' states can be put together.

mod crowd;
pub(crate) mod evidence;
mod groups;
mod holes;
mod keyed;
pub(crate) mod shape;
mod snapshot;
mod union;

use crate::lex::Piece;
use crate::{Config, Template, TemplateId, header};
use crowd::Crowds;
use groups::Groups;
use holes::{Context, Holes, Member};
use shape::Shape;
pub use union::Adopted;

/// Two templates that turned out to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The younger one, which from now on is another name of [`into`](Self::into).
    pub from: TemplateId,
    /// The one that stays.
    pub into: TemplateId,
}

/// What a line told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The template of the line.
    pub template: TemplateId,
    /// Whether no line of this template was seen before.
    pub is_new: bool,
}

/// A template that the miner knows no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Its id, which will not be given again.
    pub id: TemplateId,
    /// What it was.
    pub template: Template,
    /// How many lines belonged to it.
    pub lines: u64,
}

/// One shape may make so many more general ones.
const MOST_GENERAL_SHAPES: usize = 256;

/// Mines templates from lines, one at a time.
#[derive(Debug, Clone)]
pub struct Miner {
    config: Config,
    groups: Groups,
    holes: Holes,
    crowds: Crowds,
    lines: u64,
    /// Of the last call only.
    merges: Vec<Merge>,
    /// Likewise.
    forgotten: Vec<Forgotten>,
    /// Kept between lines for its memory only.
    pieces: Vec<Piece>,
}

impl Default for Miner {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Miner {
    /// A miner that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            groups: Groups::default(),
            holes: Holes::default(),
            crowds: Crowds::default(),
            lines: 0,
            merges: Vec::new(),
            forgotten: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// Takes in one line, without its line end, and says which template it belongs to.
    pub fn observe(&mut self, line: &[u8]) -> Observation {
        self.lines = self.lines.saturating_add(1);
        self.merges.clear();
        self.forgotten.clear();
        let message = &line[header::message(line)];
        let mut pieces = std::mem::take(&mut self.pieces);
        shape::read(message, &mut pieces);
        let key = shape::hash(&pieces);
        let observation = match self.groups.count_shape(key, self.lines) {
            Some(template) => Observation { template, is_new: false },
            None => {
                let observation = self.learn(message, &pieces, key);
                self.groups.count(observation.template, self.lines);
                observation
            }
        };
        self.pieces = pieces;
        observation
    }

    /// Finds or makes the template of a shape that is seen for the first time.
    #[cold]
    fn learn(&mut self, message: &[u8], pieces: &[Piece], key: u64) -> Observation {
        self.make_room();
        let shape = Shape::new(message, pieces, key);
        if let Some((general, template)) = self.general(&shape) {
            // Known but for its values. It is remembered to be found faster, and tells nothing new.
            self.groups.set_shape(key, template, self.lines);
            self.groups.set_shape(general, template, self.lines);
            return Observation { template, is_new: false };
        }
        let own = self.groups.add(Template::new(message, pieces), self.lines);
        self.groups.set_shape(key, own, self.lines);
        self.holes.number_seen(key);
        self.close(key);
        let skeleton = shape.skeleton();
        self.spread(shape, own);
        if self.groups.resolve(own) == own {
            self.look_at_crowd(skeleton, own);
        }
        let template = self.groups.resolve(own);
        Observation { template, is_new: template == own }
    }

    /// The template whose variables this shape's words are, and its shape.
    fn general(&self, shape: &Shape) -> Option<(u64, TemplateId)> {
        let one = shape.words().map(|word| shape.key_without(word)).find(|&key| self.holes.is_closed(key));
        let key = one.or_else(|| {
            let masks = self.crowds.masks(shape.skeleton());
            masks.iter().map(|mask| shape.key_without_places(mask)).find(|&key| self.groups.is_shape(key))
        })?;
        Some((key, self.groups.of_shape(key)?))
    }

    /// Counts a shape at each of its words, and merges where that makes enough. A merge makes a new, more general
    /// shape, which is counted likewise.
    fn spread(&mut self, shape: Shape, group: TemplateId) {
        let mut waiting = vec![(shape, group)];
        let mut budget = MOST_GENERAL_SHAPES;
        while let Some((shape, group)) = waiting.pop() {
            for word in shape.words() {
                let key = shape.key_without(word);
                let is_shape = self.groups.is_shape(key);
                let member = Member { template: group, weight: shape.weight(word), place: shape.place(word) };
                let others = shape.word_count() as u16 - 1;
                let context = Context { others, has_number: is_shape, now: self.lines };
                if let Some(members) = self.holes.add(key, member, context, &self.config)
                    && let Some(first) = self.open(key, &members)
                    && !is_shape
                    && budget > 0
                {
                    budget -= 1;
                    waiting.push((shape.without(word), first));
                }
            }
        }
    }

    /// Merges the members of a hole when they are enough, and makes its shape known.
    fn close(&mut self, key: u64) -> Option<TemplateId> {
        let members = self.holes.take_full(key, &self.config)?;
        self.open(key, &members)
    }

    /// Makes one of the templates of `members`, in the hole `key`, which differ in a value.
    fn open(&mut self, key: u64, members: &[Member]) -> Option<TemplateId> {
        let groups = &self.groups;
        let templates = members.iter().map(|member| member.template);
        let known = templates.chain(groups.of_shape(key)).map(|id| groups.resolve(id));
        let living: Vec<TemplateId> = known.filter(|&id| groups.is_root(id)).collect();
        let (&first, rest) = living.split_first()?;
        let into = rest.iter().fold(first, |into, &other| self.merge(into, other));
        // The others may have been forgotten: then the one that is left does not know yet that a value stands there.
        let places: Vec<usize> = members.iter().map(|member| usize::from(member.place)).collect();
        self.groups.open(into, &places);
        self.groups.set_shape(key, into, self.lines);
        Some(into)
    }

    /// Adds a template that nothing was merged with to those of the same build, and looks at all of them once they are
    /// many.
    fn look_at_crowd(&mut self, skeleton: u64, own: TemplateId) {
        let Some(crowd) = self.crowds.join(skeleton, own) else { return };
        let known: Vec<(TemplateId, &Template)> =
            crowd.iter().filter_map(|&id| Some((id, self.groups.root(id)?))).collect();
        let found = crowd::alike(&known);
        let left = known.iter().map(|(id, _)| *id).collect();
        self.crowds.replace(skeleton, left);
        for alike in found {
            let into =
                alike.members.iter().skip(1).fold(alike.members[0], |into, &other| self.merge(into, other));
            self.groups.set_shape(alike.key, into, self.lines);
            self.crowds.add_mask(skeleton, alike.places);
        }
        // What is left may be covered by what was just found: a name that many lines share looked like their words.
        for id in crowd {
            let Some(template) = self.groups.root(id) else { continue };
            let masks = self.crowds.masks(skeleton);
            let keys = masks.iter().map(|mask| shape::hash_without(template, mask));
            if let Some(general) = keys.filter_map(|key| self.groups.of_shape(key)).find(|&other| other != id)
            {
                self.merge(general, id);
            }
        }
    }

    fn merge(&mut self, a: TemplateId, b: TemplateId) -> TemplateId {
        match self.groups.union(a, b) {
            Some(merge) => {
                self.merges.push(merge);
                merge.into
            }
            None => self.groups.resolve(a),
        }
    }

    /// Forgets what was not used for the longest time, before one more shape is learnt.
    fn make_room(&mut self) {
        let forgotten = self.groups.make_room(&self.config, |key| self.holes.is_closed(key));
        if !forgotten.is_empty() {
            self.crowds.retain(|id| self.groups.is_root(id));
            self.forgotten.extend(forgotten);
        }
        let most_holes = self.config.most_shapes.saturating_mul(8);
        self.holes.make_room(most_holes, |key| self.groups.is_shape(key));
    }

    /// The id that stands for `id` now.
    #[must_use]
    pub fn resolve(&self, id: TemplateId) -> TemplateId {
        self.groups.resolve(id)
    }

    /// The template of `id`, or of what it was merged into. None when it was forgotten.
    #[must_use]
    pub fn template(&self, id: TemplateId) -> Option<&Template> {
        self.groups.root(self.groups.resolve(id))
    }

    /// What the last call of [`observe`](Self::observe) or [`absorb`](Self::absorb) merged, in its order.
    #[must_use]
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// Which templates the last call of [`observe`](Self::observe) or [`absorb`](Self::absorb) forgot, by id, to make room: those that no line
    /// belonged to for the longest time. A line of one that comes later gets a new id.
    #[must_use]
    pub fn forgotten(&self) -> &[Forgotten] {
        &self.forgotten
    }

    /// How many lines were observed, here or by what was absorbed.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Every template that is known, by id, with the number of its lines.
    pub fn templates(&self) -> impl Iterator<Item = (TemplateId, &Template, u64)> {
        self.groups.roots().into_iter()
    }
}
